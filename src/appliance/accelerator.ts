/**
 * Whether KVM is to be tried: whether it can be opened, and whether it is known not to run guests here. On some hosts, above
 * all virtual machines, /dev/kvm opens and then a guest dies or never prints a line. A launch that has found that out
 * writes it down in the user's cache directory, for this machine, its kernel and this qemu.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';

/** After this long KVM is tried again, in milliseconds: the host of a virtual machine may have changed. */
const rememberedForInMs = 30 * 24 * 3600 * 1000;

/** Why KVM cannot be opened; undefined where it can. */
export function kvmProblem(device = '/dev/kvm'): string | undefined {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT') return `there is no ${device}`;
    return code === 'EACCES'
      ? `${device} may not be opened by this user, as a member of the group kvm may`
      : `${device} cannot be opened (${code})`;
  }
}

/** What is written down. */
interface Verdict {
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** This machine's id, or what comes closest. */
function machineId(): string {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      return readFileSync(path, 'latin1').trim();
    } catch {
      // The next one: a container may have neither.
    }
  }
  return '';
}

/** The file that tells of this machine, kernel, processor and qemu. */
function verdictPath(cache: string, hv: string): string {
  const { ino, size, mtimeMs } = statSync(hv);
  const parts = [machineId(), release(), cpus()[0]?.model ?? '', hv, ino, size, mtimeMs];
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
  return join(cache, `no-kvm-${digest}.json`);
}

/** Why KVM is known not to run guests here; undefined where nothing is known. `hv` is the path of the program. */
export function rememberedKvmProblem(cache: string, hv: string, now = Date.now()): string | undefined {
  let verdict: Partial<Verdict>;
  try {
    verdict = JSON.parse(readFileSync(verdictPath(cache, hv), 'utf8')) as Partial<Verdict>;
  } catch {
    return undefined; // none, or a damaged one: KVM is tried, and it is written anew
  }
  const { reason, at } = verdict;
  if (typeof reason !== 'string' || typeof at !== 'number') return undefined;
  return now - at < rememberedForInMs && at <= now ? reason : undefined;
}

/** Writes down why KVM does not run guests here. Throws the host's error. */
export function rememberKvmProblem(cache: string, hv: string, reason: string, now = Date.now()): void {
  const path = verdictPath(cache, hv);
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, JSON.stringify({ reason, at: now } satisfies Verdict), { mode: 0o644 });
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Lets KVM be tried again. */
export function forgetKvmProblem(cache: string, hv: string): void {
  rmSync(verdictPath(cache, hv), { force: true });
}
