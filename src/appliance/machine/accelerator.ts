/**
 * Decides whether to try KVM: /dev/kvm must open, and KVM must not be known to fail here. On some hosts, mostly
 * virtual machines, /dev/kvm opens but a guest then dies or never prints a line. A launch that finds this writes it
 * into the user's cache directory, for this machine, its kernel and this qemu.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';

const dayInMs = 24 * 3600 * 1000;
/**
 * After how long KVM is tried again, in milliseconds: the host of a virtual machine may have changed. The time is
 * shorter after a mere timeout, because the host may only have been busy.
 */
const rememberedForInMs = { failed: 30 * dayInMs, silent: dayInMs } as const;

/** Whether KVM reported an error itself, or its guest printed nothing in time. */
type KvmFailure = keyof typeof rememberedForInMs;

const usualDevice = '/dev/kvm';

/** The host's error for opening the device; undefined if it opens. */
function openingErrno(device: string): string | undefined {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code ?? 'EIO';
  }
}

/** Why KVM cannot be opened; undefined if it opens. */
export function kvmProblem(device = usualDevice): string | undefined {
  const code = openingErrno(device);
  if (code === undefined) return undefined;
  if (code === 'ENOENT') return `there is no ${device}`;
  return code === 'EACCES'
    ? `${device} may not be opened by this user, as a member of the group kvm may`
    : `${device} cannot be opened (${code})`;
}

/** The remedy if {@link kvmProblem} reports a problem, or if KVM opens but runs no guest. */
export function kvmRemedy(): string {
  switch (openingErrno(usualDevice)) {
    case 'EACCES':
      return 'add yourself to the group (`sudo adduser $USER kvm`) and log in again';
    case undefined:
      return 'where this machine is virtual itself, its host must let it nest virtual machines';
    default:
      return 'turn on virtualisation in the firmware, or nesting at the host of this virtual machine, and load the module (`sudo modprobe kvm_intel` or `kvm_amd`)';
  }
}

/** What is written down. */
interface Verdict {
  readonly reason: string;
  readonly failure: KvmFailure;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** This machine's id, or the best replacement. */
function machineId(): string {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      return readFileSync(path, 'latin1').trim();
    } catch {
      // Try the next file; a container may have neither.
    }
  }
  return '';
}

/** The file with the record for this machine, kernel, processor and qemu. */
function verdictPath(cache: string, hv: string): string {
  const { ino, size, mtimeMs } = statSync(hv);
  const parts = [machineId(), release(), cpus()[0]?.model ?? '', hv, ino, size, mtimeMs];
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
  return join(cache, `no-kvm-${digest}.json`);
}

/** A verdict that still counts. */
interface RememberedVerdict extends Verdict {
  /** When the record expires, in milliseconds since 1970. */
  readonly until: number;
  /** The file that holds it. */
  readonly path: string;
}

/** The record that KVM runs no guests here; undefined if there is none. `hv` is the path of the program. */
export function findKvmVerdict(cache: string, hv: string, now = Date.now()): RememberedVerdict | undefined {
  let path: string;
  let verdict: Partial<Verdict>;
  try {
    path = verdictPath(cache, hv);
    verdict = (JSON.parse(readFileSync(path, 'utf8')) as Partial<Verdict> | null) ?? {};
  } catch {
    return undefined; // none, or a damaged one: KVM is tried, and it is written anew
  }
  const { reason, failure = 'failed', at } = verdict;
  if (typeof reason !== 'string' || typeof at !== 'number' || !Object.hasOwn(rememberedForInMs, failure))
    return undefined;
  const until = at + rememberedForInMs[failure];
  return now < until && at <= now ? { reason, failure, at, until, path } : undefined;
}

/** Why KVM is known to run no guests here; undefined if nothing is known. `hv` is the path of the program. */
export function rememberedKvmProblem(cache: string, hv: string, now = Date.now()): string | undefined {
  return findKvmVerdict(cache, hv, now)?.reason;
}

/** Records why KVM runs no guests here. Throws the host's error. */
export function rememberKvmProblem(
  cache: string,
  hv: string,
  { reason, failure }: Pick<Verdict, 'reason' | 'failure'>,
  now = Date.now(),
): void {
  const path = verdictPath(cache, hv);
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, JSON.stringify({ reason, failure, at: now } satisfies Verdict), { mode: 0o644 });
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Lets KVM be tried again. For tests. */
export function forgetKvmProblem(cache: string, hv: string): void {
  rmSync(verdictPath(cache, hv), { force: true });
}
