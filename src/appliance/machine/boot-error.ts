/** Errors of a start of the appliance: the reason in one sentence, with a remedy. */
import { type ErrnoName, GuestfsError } from '../../base/index.js';
import type { Machine } from './machine.js';

/** A failure of the machine before the appliance was up. If it ran on KVM, another accelerator may work. */
export class BootError extends GuestfsError {
  override name = 'BootError';
  /** The failure without the remedy. */
  readonly reason: string;

  constructor(code: ErrnoName, reason: string, remedy: string) {
    super(code, `${reason}; ${remedy}`);
    this.reason = reason;
  }
}

/** The remedy if nothing better is known. */
export const seeAll = 'set LIBGUESTFS_DEBUG=1 to see all that it says';

/** The text that best explains the end of a machine: qemu's own message, or the guest's last line. */
export function consoleTail({ messages, console }: Machine): string | undefined {
  const said = messages.lines.findLast((line) => line.trim() !== '' && !/\bwarning: /.test(line));
  const panic = console.lines.findLast((line) => line.includes('Kernel panic'));
  const words = said ?? panic ?? console.lastLine;
  return words?.replace(/^\S*qemu-system-\S+: /, '').trim();
}

/** A machine that ended by itself, in one sentence with a remedy. */
export function endError(machine: Machine, memsizeInMegabytes: number): BootError {
  const words = consoleTail(machine) ?? '';
  const said = machine.messages.lines.join('\n');
  if (/cannot set up guest memory|Cannot allocate memory/.test(said))
    return new BootError(
      'ENOMEM',
      `this machine has not enough memory for an appliance of ${memsizeInMegabytes} megabytes`,
      'set less with setMemsize or LIBGUESTFS_MEMSIZE',
    );
  if (/No space left on device/.test(said))
    return new BootError(
      'ENOSPC',
      `there is no room for the appliance's temporary files (${words})`,
      'choose another directory for them with setTmpdir or LIBGUESTFS_TMPDIR',
    );
  const reason = words === '' ? 'it does not say why' : words;
  return new BootError('EIO', `the appliance ended before it was up: ${reason}`, seeAll);
}
