/**
 * A machine's state out of qemu and into another one: its memory and devices, as the stream that live migration sends. Source:
 * qemu's QAPI reference, "Migration".
 *
 * It is read from a file descriptor that qemu was started with. Written it cannot be in that way: for that, qemu wants one
 * that was sent over its monitor, which Node cannot do. So it goes through a pipe to a shell, which finds the file's name in its
 * environment, where no character of it means anything.
 */
import { existsSync } from 'node:fs';
import { GuestfsError } from '../../base/index.js';
import { qemuDescriptors } from './qemu.js';
import type { Qmp } from './qmp.js';

/** The variable that names the file. */
export const memoryVariable = 'GUESTFS_MEMORY';
/** The file has its name only when all of it is there. */
const writing = `exec:umask 077; cat > "$${memoryVariable}.part" && mv "$${memoryVariable}.part" "$${memoryVariable}"`;
const reading = `fd:${qemuDescriptors.memory}`;
const lookEveryInMs = 5;
/** 1.3 GB, all that a machine of the usual size has, take no longer even on a slow disk. Milliseconds. */
const patienceInMs = 60_000;
/** Not the usual 128 MiB a second, which spare a network. Bytes a second. */
const unlimitedBandwidth = 2 ** 40;

interface MigrationInfo {
  readonly status?: string;
  readonly 'error-desc'?: string;
}

async function completed(qmp: Qmp, what: string, isWhole: () => boolean = () => true): Promise<void> {
  const end = performance.now() + patienceInMs;
  for (;;) {
    const { status, 'error-desc': why } = (await qmp.command('query-migrate')) as MigrationInfo;
    if (status === 'completed' && isWhole()) return;
    if (status === 'failed' || status === 'cancelled')
      throw new GuestfsError('EIO', `${what}: ${why ?? 'qemu does not say why'}`);
    if (performance.now() > end)
      throw new GuestfsError('ETIMEDOUT', `${what} within ${patienceInMs / 1000} seconds`);
    await new Promise((resolve) => setTimeout(resolve, lookEveryInMs));
  }
}

/**
 * Writes a machine's state and lets it go on, also when that fails. `memory` is the file that {@link memoryVariable} names. It
 * stands still meanwhile; so does what it has of its disks when `keepDisks` is called. Rejects with GuestfsError.
 */
export async function writeMachineState(qmp: Qmp, memory: string, keepDisks: () => void): Promise<void> {
  await qmp.command('stop');
  try {
    await qmp.command('migrate-set-parameters', { 'max-bandwidth': unlimitedBandwidth });
    await qmp.command('migrate', { uri: writing });
    await completed(qmp, "the machine's memory could not be written", () => existsSync(memory));
    keepDisks();
  } finally {
    await qmp.command('cont');
  }
}

/** Reads a machine's state; afterwards it stands where it was stopped. Rejects with GuestfsError. */
export async function readMachineState(qmp: Qmp): Promise<void> {
  await qmp.command('migrate-incoming', { uri: reading });
  await completed(qmp, "the machine's memory could not be read");
}
