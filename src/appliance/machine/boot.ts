/**
 * One start of the appliance with one accelerator: from nothing to a guestfsd that answers, or to the reason for the
 * failure. It boots, or it resumes from a snapshot that an earlier boot left (snapshot-store.ts).
 *
 * Under KVM, signs of life are expected soon. On a machine where KVM opens but runs no guests, qemu ends, or stops
 * unasked, or the console stays silent after the firmware.
 */
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { AbortError, asGuestfsError, GuestfsError } from '../../base/index.js';
import { attachDrives, makeOverlay } from '../drives/drives.js';
import type { DaemonVersion } from '../wire/compat.js';
import { Connection } from '../wire/connection.js';
import { BootError, endError, seeAll } from './boot-error.js';
import { Watch } from './boot-monitor.js';
import {
  argumentsFor,
  type Booted,
  type BootOptions,
  type ConnectionListeners,
  launchSteps,
  type RootLayers,
} from './boot-options.js';
import { Machine } from './machine.js';
import { memoryVariable, readMachineState, writeMachineState } from './migration.js';
import { prepareForKeeping, resume, setClock } from './resume.js';
import type { UnfinishedSnapshot, UsableSnapshot } from './snapshot-store.js';

/** Makes the layer for the guest's writes to its own disk, in a directory that ends with the machine. */
function rootLayersIn(directory: string, { appliance, from }: BootOptions): RootLayers {
  const writes = join(directory, 'root.qcow2');
  makeOverlay(writes, appliance.rootSizeInBytes);
  return from === undefined ? { writes } : { writes, kept: from.root };
}

/**
 * Starts. Rejects with GuestfsError and leaves nothing behind; the error is a BootError if the machine or the
 * snapshot is at fault.
 */
export async function bootAppliance(options: BootOptions): Promise<Booted> {
  const { config, events, signal, accelerator, limits, from, keep } = options;
  const failed = new AbortController();
  const fail = (error: GuestfsError): void => failed.abort(error);
  const memory = from?.openMemory();
  const machine = await Machine.start({
    hv: options.hv,
    tmpdir: config.tmpdir,
    watched: config.recoveryProc,
    ...(memory === undefined ? {} : { memory }),
    ...(keep === undefined ? {} : { unfinished: keep.path, environment: { [memoryVariable]: keep.memory } }),
    arguments: (directory) => {
      const args = argumentsFor(options, rootLayersIn(directory, options));
      if (config.verbose) events.log('library', `${options.hv} ${args.join(' ')}`);
      return args;
    },
    onConsole: (line) => {
      if (line.startsWith('Starting /init')) events.progress(launchSteps.init, launchSteps.total);
      events.log('appliance', `${line}\n`);
    },
    onMessage: (line) => events.log('library', `qemu: ${line}`),
  }).finally(() => {
    if (memory !== undefined) closeSync(memory);
  });
  const listeners: ConnectionListeners = { progress: () => {}, broken: () => {} };
  const connection = new Connection(
    machine.channel,
    {
      progress: (position, total) => listeners.progress(position, total),
      broken: (error) => listeners.broken(error),
    },
    {
      drivesComeLater: from !== undefined || keep !== undefined,
      ...(from === undefined ? {} : { alreadyLaunched: true, daemon: from.daemon }),
    },
  );
  const cancel = (): void => {
    fail(new AbortError('the launch was cancelled', { cause: signal?.reason }));
    machine.kill(); // at once: the process may be exiting
  };
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted === true) cancel();
  void machine.ended.then((end) => {
    if (!end.expected) fail(endError(machine, config.memsize));
  });
  const watch = new Watch(options, machine, fail);
  try {
    events.progress(launchSteps.started, launchSteps.total);
    const work =
      from === undefined
        ? start(options, machine, connection, watch)
        : startFromSnapshot(options, from, machine, connection, watch);
    const failure = new Promise<never>((_resolve, reject) => {
      if (failed.signal.aborted) reject(failed.signal.reason);
      failed.signal.addEventListener('abort', () => reject(failed.signal.reason), { once: true });
    });
    // Only the first of the two is reported.
    work.catch(() => {});
    failure.catch(() => {});
    await Promise.race([work, failure]);
    return { machine, connection, listeners };
  } catch (thrown) {
    // A broken connection or monitor is a consequence: the process ends right after it, and that end has the reason.
    const { code } = asGuestfsError(thrown);
    const isConsequence = !failed.signal.aborted && (code === 'EPIPE' || code === 'EIO');
    if (isConsequence) await Promise.race([machine.ended, delay(1000)]);
    connection.close();
    machine.kill();
    await machine.ended;
    throw failed.signal.aborted ? failed.signal.reason : thrown;
  } finally {
    watch.stop();
    signal?.removeEventListener('abort', cancel);
  }

  function delay(ms: number): Promise<void> {
    return new Promise((resolve) =>
      setTimeout(resolve, accelerator === 'kvm' ? Math.min(ms, limits.kvmGreetingInMs) : ms),
    );
  }
}

/** Waits until qemu's monitor accepts a connection. */
async function greet({ accelerator, architecture, limits }: BootOptions, { qmp }: Machine): Promise<void> {
  try {
    await qmp.negotiate(accelerator === 'kvm' ? { timeoutInMs: limits.kvmGreetingInMs } : {});
  } catch (thrown) {
    const error = asGuestfsError(thrown);
    if (error.code !== 'ETIMEDOUT') throw error;
    throw new BootError('ETIMEDOUT', `qemu was started and does not answer: ${error.message}`, seeAll);
  }
  const { arch } = (await qmp.command('query-target')) as { arch: string };
  if (arch !== architecture.name)
    throw new GuestfsError(
      'ENOEXEC',
      `the hypervisor is for ${arch}, and this machine is ${architecture.name}: choose another with setHv or LIBGUESTFS_HV`,
    );
}

/** Boots the machine and waits for the daemon. If a snapshot is made, the drives are added after it. */
async function start(
  options: BootOptions,
  machine: Machine,
  connection: Connection,
  watch: Watch,
): Promise<void> {
  const { config, keep } = options;
  const { qmp } = machine;
  await greet(options, machine);
  if (keep === undefined)
    await attachDrives(qmp, config.drives, { directory: machine.directory, policy: config.policy });
  // Begins before the processor starts, because the machine may stop at once.
  watch.begin();
  await qmp.command('cont');
  await connection.launched;
  const daemon = await connection.identify();
  if (keep === undefined) return await setClock(connection);
  watch.stop();
  const isKept = await writeSnapshot(options, keep, daemon, machine, connection);
  await resume(machine, connection, async () => {}, { config, isKept, attached: () => {} });
}

/** The warning of a launch that cannot keep a snapshot. */
export const cannotKeep = (thrown: unknown): string =>
  `the started appliance cannot be kept for later launches, which will boot again: ${asGuestfsError(thrown).message}`;

/**
 * Makes a snapshot of a machine without drives, and lets the machine go on. If that fails, the launch does not: the
 * result is then false.
 */
async function writeSnapshot(
  { events, architecture }: BootOptions,
  keep: UnfinishedSnapshot,
  daemon: DaemonVersion,
  machine: Machine,
  connection: Connection,
): Promise<boolean> {
  try {
    await prepareForKeeping(connection, architecture.name);
    await writeMachineState(machine.qmp, keep.memory, () =>
      keep.keepRoot(join(machine.directory, 'root.qcow2')),
    );
    await keep.finish(daemon);
    return true;
  } catch (thrown) {
    if (!machine.isRunning) throw thrown;
    events.log('warning', cannotKeep(thrown));
    return false;
  }
}

/** Resumes from a snapshot. Failures before the drives are added, and after, are the snapshot's fault. */
async function startFromSnapshot(
  options: BootOptions,
  from: UsableSnapshot,
  machine: Machine,
  connection: Connection,
  watch: Watch,
): Promise<void> {
  const { config } = options;
  const { qmp } = machine;
  let drivesAreAtFault = false;
  try {
    await greet(options, machine);
    await Promise.all([from.check(), readMachineState(qmp)]);
    drivesAreAtFault = true;
    const proceed = async (): Promise<void> => {
      watch.begin();
      await qmp.command('cont');
    };
    await resume(machine, connection, proceed, {
      config,
      isKept: true,
      attached: () => {
        drivesAreAtFault = false;
      },
    });
  } catch (thrown) {
    if (drivesAreAtFault || thrown instanceof BootError) throw thrown;
    throw new BootError(
      'EIO',
      `the appliance could not go on from where it was kept: ${asGuestfsError(thrown).message}`,
      seeAll,
    );
  }
}
