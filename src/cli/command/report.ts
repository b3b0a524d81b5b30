/** Turns a thrown value into lines on standard error and an exit status. */
import {
  CorruptError,
  GuestfsError,
  HostError,
  hostError,
  PartialError,
  UnsupportedError,
} from '../../base/index.js';
import { visible } from '../terminal/visible.js';
import { exitStatus, Failure } from './failure.js';

interface FailureReport {
  readonly lines: readonly string[];
  readonly status: number;
}

/** The usual program that checks and repairs the damaged structure, if there is one. */
function corruptHint({ structure, problem }: CorruptError): string {
  if (problem.includes('norecovery'))
    return 'give -m DEVICE:/:norecovery, as -m /dev/sda1:/:norecovery, to see it without its log';
  if (/(^|: )qcow2/.test(structure)) return "'qemu-img check' tells more about a damaged image";
  if (/(^|: )ext/.test(structure)) return "'e2fsck -fn' on a copy tells more about a damaged filesystem";
  return 'the image is damaged, or was cut off while it was copied: compare its size with the original';
}

function statusOf(error: GuestfsError): number {
  if (error instanceof CorruptError || error instanceof PartialError) return exitStatus.corrupt;
  if (error instanceof HostError) return exitStatus.failure;
  switch (error.code) {
    case 'ENOTSUP':
      return exitStatus.notSupported;
    case 'ENOENT':
    case 'ENODEV':
      return exitStatus.notFound;
    default:
      return exitStatus.failure;
  }
}

/** The hint for formats that the embedded engine cannot read but Linux perhaps can. */
export const mayHaveHint =
  "--backend direct may be able to: it boots the real appliance; 'guestfs doctor' tells what works here";

/** For what both backends lack, or what the direct backend itself reported. */
const unsupportedByBoth = ['the appliance', 'tar archive', 'list of applications'];

/** For what the other backend has, or may have. The error says so where that is known. */
function unsupportedHint({ structure, elsewhere, cause }: UnsupportedError): string | undefined {
  // The appliance was wanted, and could not be started.
  if (cause instanceof GuestfsError && !(cause instanceof UnsupportedError))
    return "'guestfs doctor' tells what works here";
  if (structure === 'the embedded backend')
    return "give --backend direct, which boots the real appliance; 'guestfs doctor' tells whether it works here";
  if (elsewhere === 'nowhere') return undefined;
  return elsewhere === undefined && unsupportedByBoth.includes(structure) ? undefined : mayHaveHint;
}

function hintOf(error: GuestfsError): string | undefined {
  if (error instanceof CorruptError) return corruptHint(error);
  if (error instanceof PartialError)
    return 'all that could be read is there; the warnings above name what is not';
  if (error instanceof UnsupportedError) return unsupportedHint(error);
  if (error.code === 'ENOTSUP') return "'guestfs doctor' tells what works here";
  return undefined;
}

/** A message with the command in front. Later lines, which programs of the appliance may print, are indented. */
function messageLines(prefix: string, message: string): string[] {
  const [first = '', ...more] = message.trimEnd().split('\n');
  return [`${prefix}: ${visible(first)}`, ...more.map((line) => `  ${visible(line)}`)];
}

/** The lines for a failure: `guestfs: cat: /etc/nope: no such file or directory`, and perhaps `hint: …`. */
export function reportFailure(thrown: unknown, command: string | undefined): FailureReport {
  const prefix = command === undefined ? 'guestfs' : `guestfs: ${command}`;
  const report = (message: string, status: number, hint: string | undefined): FailureReport => ({
    lines: [...messageLines(prefix, message), ...(hint === undefined ? [] : [`hint: ${visible(hint)}`])],
    status,
  });
  if (thrown instanceof Failure) return report(thrown.message, thrown.status, thrown.hint);
  if (thrown instanceof GuestfsError) {
    // The command's name replaces the name of the action that the command used. In `call`, the user named the action.
    const action = thrown.action === undefined ? '' : `${thrown.action.replaceAll('_', '-')}: `;
    const message = command === 'call' ? action + thrown.bareMessage : thrown.bareMessage;
    const where = thrown instanceof HostError ? ' on this machine' : '';
    return report(message + where, statusOf(thrown), hintOf(thrown));
  }
  // The words of an action did not fit it.
  if (thrown instanceof Error && thrown.name === 'UsageError')
    return report(thrown.message, exitStatus.usage, undefined);
  // A file of the host: Node's own error, whose text is made for programmers.
  if (thrown instanceof Error && typeof (thrown as NodeJS.ErrnoException).code === 'string') {
    const { path, dest } = thrown as NodeJS.ErrnoException & { dest?: string };
    const about = dest ?? path;
    const message =
      about === undefined ? thrown.message : `${hostError(about, thrown).message} on this machine`;
    return report(message, exitStatus.failure, undefined);
  }
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return {
    lines: [`${prefix}: a fault of this program: please report it`, ...stack.split('\n').map(visible)],
    status: exitStatus.failure,
  };
}
