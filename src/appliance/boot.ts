/**
 * One start of the appliance with one accelerator: from nothing to a guestfsd that answers, or to the reason why not. It
 * boots, or it goes on from a state that an earlier boot left (kept-state.ts).
 *
 * Where the accelerator is KVM, signs of life are expected soon: one of those machines on which KVM opens and does not run
 * guests shows it by qemu's end, by a stop that nobody asked for, or by a console on which nothing follows the firmware.
 */
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendConfig, BackendEvents } from '../api/index.js';
import { asGuestfsError, type ErrnoName, GuestfsError } from '../base/index.js';
import type { Appliance } from './appliance.js';
import { awaken } from './awakening.js';
import { overlayNode } from './blocks.js';
import type { DaemonVersion } from './compat.js';
import { Connection } from './connection.js';
import { attachDrives, makeOverlay } from './drives.js';
import type { UnfinishedState, UsableState } from './kept-state.js';
import { Machine } from './machine.js';
import { memoryVariable, readMachineState, writeMachineState } from './migration.js';
import { type Accelerator, type Architecture, qemuArguments, rootNodes } from './qemu.js';

/** How long what may take, in milliseconds. */
export interface BootLimits {
  /** All of it. */
  readonly bootInMs: number;
  /** Nothing on the console. */
  readonly silenceInMs: number;
  /** With KVM: until qemu's monitor greets. */
  readonly kvmGreetingInMs: number;
  /** With KVM: from the start of the guest to its kernel's first line. */
  readonly kvmFirstLineInMs: number;
  /** With KVM: nothing on the console. */
  readonly kvmSilenceInMs: number;
  /** From a kept state: until the first call is answered. */
  readonly resumeInMs: number;
}

/** Ten minutes are libguestfs's own limit. The kernel's first line comes within 0.3 seconds where KVM works. */
export const usualLimits: BootLimits = {
  bootInMs: 600_000,
  silenceInMs: 180_000,
  kvmGreetingInMs: 5_000,
  kvmFirstLineInMs: 4_000,
  kvmSilenceInMs: 30_000,
  resumeInMs: 60_000,
};

export interface BootOptions {
  readonly config: BackendConfig;
  readonly events: BackendEvents;
  readonly signal: AbortSignal | undefined;
  readonly architecture: Architecture;
  readonly accelerator: Accelerator;
  readonly appliance: Appliance;
  /** The program's path. */
  readonly hv: string;
  readonly gdb: boolean;
  readonly limits: BootLimits;
  /** The state to go on from. */
  readonly from?: UsableState;
  /** The state to make of this boot. */
  readonly keep?: UnfinishedState;
}

export interface Booted {
  readonly machine: Machine;
  readonly connection: Connection;
  /** Whom the connection tells once the launch is over. */
  readonly listeners: ConnectionListeners;
}

/** What a connection tells; nobody listens while the appliance boots. */
export interface ConnectionListeners {
  progress: (position: number, total: number) => void;
  broken: (error: GuestfsError) => void;
}

/** A failure of the machine itself, before the appliance was up. With KVM, another accelerator may fare better. */
export class BootError extends GuestfsError {
  override name = 'BootError';
  /** What happened, without what to do about it. */
  readonly reason: string;

  constructor(code: ErrnoName, reason: string, remedy: string) {
    super(code, `${reason}; ${remedy}`);
    this.reason = reason;
  }
}

const seeAll = 'set LIBGUESTFS_DEBUG=1 to see all that it says';

/** Steps of a launch, in the C library's twelfths. */
export const launchSteps = { total: 12, found: 2, started: 3, kernel: 4, init: 7 } as const;

/** How often the console's silence is looked at, in milliseconds. */
const watchEveryInMs = 200;

/** The files of the appliance's own disk above its image, topmost first; none of them exists for a plan that is only compared. */
interface RootLayers {
  readonly writes: string;
  /** What was written until the state was kept. */
  readonly kept?: string;
}

/** The arguments for this start. Pure. */
export function argumentsFor(options: Omit<BootOptions, 'events' | 'signal'>, root: RootLayers): string[] {
  const { config, appliance, architecture, accelerator, gdb } = options;
  const image = {
    driver: 'raw',
    'node-name': rootNodes.image,
    'read-only': true,
    file: { driver: 'file', filename: appliance.root, 'read-only': true, locking: 'off' },
  };
  const layers =
    root.kept === undefined
      ? [image]
      : [
          image,
          {
            driver: 'qcow2',
            'node-name': rootNodes.kept,
            'read-only': true,
            file: { driver: 'file', filename: root.kept, 'read-only': true, locking: 'off' },
            backing: rootNodes.image,
          },
        ];
  const below = root.kept === undefined ? rootNodes.image : rootNodes.kept;
  return qemuArguments(
    {
      architecture,
      accelerator,
      kernel: appliance.kernel,
      initrd: appliance.initrd,
      rootUuid: appliance.rootUuid,
      memsizeInMegabytes: config.memsize,
      smp: config.smp,
      verbose: config.verbose,
      network: config.network,
      append: config.append,
      gdb,
      hvParams: config.hvParams,
      incoming: root.kept !== undefined,
    },
    [...layers, overlayNode(root.writes, below, rootNodes.writes)],
  );
}

/** Makes the layer that takes what the guest writes to its own disk, in a directory that ends with the machine. */
function rootLayersIn(directory: string, { appliance, from }: BootOptions): RootLayers {
  const writes = join(directory, 'root.qcow2');
  makeOverlay(writes, appliance.rootSizeInBytes);
  return from === undefined ? { writes } : { writes, kept: from.root };
}

/**
 * Starts. Rejects with GuestfsError (BootError where the machine is at fault, or the state that it was to go on from),
 * leaving nothing behind.
 */
export async function bootAppliance(options: BootOptions): Promise<Booted> {
  const { config, events, signal, accelerator, limits, from, keep } = options;
  const failed = new AbortController();
  const fail = (error: GuestfsError): void => failed.abort(error);
  const memory = from?.openMemory();
  const machine = await Machine.start({
    hv: options.hv,
    tmpdir: config.tmpdir,
    guarded: config.recoveryProc,
    ...(memory === undefined ? {} : { memory }),
    ...(keep === undefined ? {} : { unfinished: keep.path, environment: { [memoryVariable]: keep.memory } }),
    arguments: (directory) => {
      const args = argumentsFor(options, rootLayersIn(directory, options));
      if (config.verbose) events.log('library', `${options.hv} ${args.join(' ')}`);
      return args;
    },
    onConsole: (line) => {
      if (line.startsWith('Starting /init')) events.progress(launchSteps.init, launchSteps.total);
      events.log('appliance', line);
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
    from === undefined ? {} : { alreadyLaunched: true, daemon: from.daemon },
  );
  const cancel = (): void => {
    fail(new GuestfsError('ECANCELED', 'the launch was cancelled', { cause: signal?.reason }));
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
        : resume(options, from, machine, connection, watch);
    const failure = new Promise<never>((_resolve, reject) => {
      if (failed.signal.aborted) reject(failed.signal.reason);
      failed.signal.addEventListener('abort', () => reject(failed.signal.reason), { once: true });
    });
    // Whichever comes second is told to nobody.
    work.catch(() => {});
    failure.catch(() => {});
    await Promise.race([work, failure]);
    return { machine, connection, listeners };
  } catch (thrown) {
    // A connection or monitor that breaks is a consequence: the end of the process, which follows at once, has the reason.
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

/** Waits until qemu's monitor is there to be talked to. */
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

/** Boots the machine and waits for the daemon. A boot whose state is kept gets its drives when that is done. */
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
  await qmp.command('cont');
  watch.begin();
  await connection.launched;
  const daemon = await connection.identify();
  if (keep === undefined) return;
  watch.stop();
  await writeState(options, keep, daemon, machine);
  await awaken(machine, connection, async () => {}, {
    config,
    architecture: options.architecture.name,
    isRestored: true,
    attached: () => {},
  });
}

/** The warning of a launch whose state cannot be kept. */
export const cannotKeep = (thrown: unknown): string =>
  `the started appliance cannot be kept for later launches, which will boot again: ${asGuestfsError(thrown).message}`;

/** Keeps the state of a machine that has no drives, and lets it go on. That it cannot be kept is no failure of the launch. */
async function writeState(
  { events }: BootOptions,
  keep: UnfinishedState,
  daemon: DaemonVersion,
  machine: Machine,
): Promise<void> {
  try {
    await writeMachineState(machine.qmp, keep.memory, () =>
      keep.keepRoot(join(machine.directory, 'root.qcow2')),
    );
    await keep.finish(daemon);
  } catch (thrown) {
    if (!machine.isRunning) throw thrown;
    events.log('warning', cannotKeep(thrown));
  }
}

/** Goes on from a kept state. What fails before the drives are in their places, or after, is the state's fault. */
async function resume(
  options: BootOptions,
  from: UsableState,
  machine: Machine,
  connection: Connection,
  watch: Watch,
): Promise<void> {
  const { config, architecture } = options;
  const { qmp } = machine;
  let drivesAreAtFault = false;
  try {
    await greet(options, machine);
    await Promise.all([from.check(), readMachineState(qmp)]);
    drivesAreAtFault = true;
    const proceed = async (): Promise<void> => {
      await qmp.command('cont');
      watch.begin();
    };
    await awaken(machine, connection, proceed, {
      config,
      architecture: architecture.name,
      isRestored: true,
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

/** Watches a guest that boots: what it prints, and whether it stops. */
class Watch {
  readonly #options: BootOptions;
  readonly #machine: Machine;
  readonly #fail: (error: GuestfsError) => void;
  readonly #startedAt = performance.now();
  #runningSince: number | undefined;
  #sawKernel = false;
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;

  constructor(options: BootOptions, machine: Machine, fail: (error: GuestfsError) => void) {
    this.#options = options;
    this.#machine = machine;
    this.#fail = fail;
    this.#timer = setInterval(() => this.#look(), watchEveryInMs);
    this.#stopListening = machine.qmp.onEvent(({ event }) => {
      // Not asked for by anyone: KVM's internal error does it, and nothing else but a debugger that is left to do so.
      if (event === 'STOP' && this.#runningSince !== undefined && !options.gdb) this.#stopped();
    });
  }

  /** The guest runs from now on. */
  begin(): void {
    this.#runningSince = performance.now();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stopListening();
  }

  #stopped(): void {
    this.#fail(
      new BootError(
        'EIO',
        `qemu stopped the machine: ${lastWords(this.#machine) ?? 'it does not say why'}`,
        seeAll,
      ),
    );
  }

  #look(): void {
    const { accelerator, limits, gdb, events, from } = this.#options;
    const { console } = this.#machine;
    const now = performance.now();
    // A guest that goes on has nothing to print.
    if (from !== undefined) {
      if (now - this.#startedAt > limits.resumeInMs) this.#late('was not up after', limits.resumeInMs);
      return;
    }
    if (console.beyondFirmware && !this.#sawKernel) {
      this.#sawKernel = true;
      events.progress(launchSteps.kernel, launchSteps.total);
    }
    // Somebody steps through it with a debugger.
    if (gdb) return;
    if (now - this.#startedAt > limits.bootInMs) return this.#late('was not up after', limits.bootInMs);
    if (this.#runningSince === undefined) return;
    const silence = now - Math.max(console.lastHeardAt, this.#runningSince);
    if (accelerator === 'kvm') {
      if (!console.beyondFirmware && now - this.#runningSince > limits.kvmFirstLineInMs)
        return this.#late("printed nothing of a kernel's for", limits.kvmFirstLineInMs);
      if (silence > limits.kvmSilenceInMs) return this.#late('printed nothing for', limits.kvmSilenceInMs);
    }
    if (silence > limits.silenceInMs) this.#late('printed nothing for', limits.silenceInMs);
  }

  #late(what: string, limitInMs: number): void {
    const line = this.#machine.console.lastLine;
    const last = line === undefined ? '' : `; its last line is: ${line.trim()}`;
    this.#fail(
      new BootError('ETIMEDOUT', `the appliance ${what} ${limitInMs / 1000} seconds${last}`, seeAll),
    );
  }
}

/** What tells best why a machine ended: qemu's own message, or the guest's last line. */
export function lastWords({ messages, console }: Machine): string | undefined {
  const said = messages.lines.findLast((line) => line.trim() !== '' && !/\bwarning: /.test(line));
  const panic = console.lines.findLast((line) => line.includes('Kernel panic'));
  const words = said ?? panic ?? console.lastLine;
  return words?.replace(/^\S*qemu-system-\S+: /, '').trim();
}

/** A machine that ended by itself, in one sentence with a remedy. */
export function endError(machine: Machine, memsizeInMegabytes: number): BootError {
  const words = lastWords(machine) ?? '';
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
