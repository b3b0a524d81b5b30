/**
 * Transfers a machine's state, its memory and devices, out of qemu and into another qemu, in the format of live
 * migration. Source: qemu's QAPI reference, "Migration".
 *
 * Reading uses a file descriptor that qemu was started with. Writing cannot: for that, qemu needs a descriptor that
 * was sent over its monitor, which Node cannot do. So the state is written through a pipe to a shell, which gets the
 * file's name in its environment, where no character is special.
 */
import { existsSync } from 'node:fs';
import { GuestfsError } from '../../base/index.js';
import { qemuDescriptors } from './qemu.js';
import type { Qmp } from './qmp.js';

/** The variable that names the file. */
export const memoryVariable = 'GUESTFS_MEMORY';
/** The file gets its name only when it is complete. */
const writing = `exec:umask 077; cat > "$${memoryVariable}.part" && mv "$${memoryVariable}.part" "$${memoryVariable}"`;
const reading = `fd:${qemuDescriptors.memory}`;
const lookEveryInMs = 5;
/** A machine of the usual size has 1.3 GB, which even a slow disk writes in this time. Milliseconds. */
const patienceInMs = 60_000;
/** qemu's default of 128 MiB a second is made for networks. Bytes a second. */
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
 * Writes a machine's state and lets the machine go on, also after a failure. `memory` is the file that {@link
 * memoryVariable} names. The machine stands still meanwhile, and so does its disk while `keepDisks` runs. Rejects
 * with GuestfsError.
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

/** Reads a machine's state. The machine then stands where it was stopped. Rejects with GuestfsError. */
export async function readMachineState(qmp: Qmp): Promise<void> {
  await qmp.command('migrate-incoming', { uri: reading });
  await completed(qmp, "the machine's memory could not be read");
}
