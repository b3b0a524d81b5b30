/**
 * The start of the direct backend: finds or builds the appliance, and boots it with an accelerator that works here.
 */
import { join } from 'node:path';
import type { BackendConfig, StartBackend } from '../../api/index.js';
import { AbortError, asGuestfsError, GuestfsError } from '../../base/index.js';
import { ApplianceBackend } from '../backend.js';
import { kvmProblem, rememberedKvmProblem, rememberKvmProblem } from './accelerator.js';
import { findAppliance, requirePlace } from './appliance.js';
import { type BackendSettings, readBackendSettings } from './backend-settings.js';
import { bootAppliance, cannotKeep } from './boot.js';
import { BootError, seeAll } from './boot-error.js';
import {
  argumentsFor,
  type Booted,
  type BootLimits,
  type BootOptions,
  launchSteps,
  usualLimits,
} from './boot-options.js';
import { LaunchLock } from './launch-lock.js';
import { cacheDirectory } from './private-directory.js';
import { findProgram } from './programs.js';
import { findArchitecture } from './qemu.js';
import { canRefresh } from './snapshot-refresh.js';
import {
  type MachineSnapshot,
  SnapshotStore,
  type UnfinishedSnapshot,
  type UsableSnapshot,
} from './snapshot-store.js';

/** The qemu program, by a path or a name. Throws GuestfsError (ENOENT). */
function findHypervisor(hv: string): string {
  const found = findProgram(hv);
  if (found !== undefined) return found;
  throw new GuestfsError(
    'ENOENT',
    `the hypervisor ${hv} is missing or may not be run: install it (Debian: the package qemu-system-x86), or choose another with setHv or LIBGUESTFS_HV`,
  );
}

/** Throws GuestfsError (ENOENT, ENOTSUP) where a launch would lack its program or its appliance. Starts nothing. */
export function checkParts({ hv, path }: Pick<BackendConfig, 'hv' | 'path'>): void {
  findArchitecture(process.arch);
  findHypervisor(hv);
  requirePlace(path);
}

/** Makes the function that starts a backend. Tests use shorter time limits and another KVM device. For tests. */
export function applianceStarter(limits: BootLimits = usualLimits, kvm?: string): StartBackend {
  return async (config, events, signal) => {
    if (signal?.aborted === true) throw new AbortError('the launch was cancelled', { cause: signal.reason });
    const settings = readBackendSettings(config.backendSettings);
    const architecture = findArchitecture(process.arch);
    const hv = findHypervisor(config.hv);
    events.progress(0, launchSteps.total);
    const appliance = await findAppliance({
      path: config.path,
      cachedir: config.cachedir,
      architecture: architecture.name,
      signal,
      log: (message) => events.log('library', message),
    });
    events.progress(launchSteps.found, launchSteps.total);
    const options = { config, events, signal, architecture, appliance, hv, gdb: settings.gdb, limits };
    const lock = new ColdStartLock();
    try {
      const booted = await bootWithAccelerator(options, settings, kvm, lock);
      return new ApplianceBackend(booted, config, events);
    } finally {
      await lock.release();
    }
  };
}

type BootWithout = Omit<BootOptions, 'accelerator'>;

/** The snapshot for this machine. There is none if the caller gave qemu parameters, or wants to watch the boot. */
function snapshotOf(options: BootOptions, { noSnapshotStart }: BackendSettings): MachineSnapshot | undefined {
  const { config, gdb, hv, appliance, architecture } = options;
  const isOrdinary = config.hvParams.length === 0 && !gdb && !config.verbose;
  if (noSnapshotStart || !isOrdinary || !canRefresh(architecture.name)) return undefined;
  return new SnapshotStore(cacheDirectory(config.cachedir)).of({
    arguments: argumentsFor(options, { writes: '' }),
    hv,
    appliance: appliance.identity,
  });
}

/** A lock that is taken when it is first needed, and then kept. */
class ColdStartLock {
  #lock: LaunchLock | undefined;
  #isTaken = false;

  /** Whether others are kept out already. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  async take({ config, events, signal, limits }: BootWithout): Promise<void> {
    this.#lock = await LaunchLock.take(join(cacheDirectory(config.cachedir), 'start.lock'), {
      signal,
      patienceInMs: limits.bootInMs,
      waiting: () =>
        events.log('library', 'another launch boots the appliance: waiting for the state that it keeps'),
    });
    this.#isTaken = true;
  }

  async release(): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    this.#isTaken = false;
    await lock?.release();
  }
}

/** Resumes from a snapshot; undefined if the snapshot proves unusable. */
async function startFrom(from: UsableSnapshot, options: BootOptions): Promise<Booted | undefined> {
  try {
    const booted = await bootAppliance({ ...options, from });
    from.touch();
    return booted;
  } catch (thrown) {
    if (!(thrown instanceof BootError)) throw thrown;
    options.events.log('library', `${thrown.reason}; it is booted instead`);
    return undefined;
  }
}

/**
 * Resumes from the snapshot if a usable one exists; else boots and makes one. Only one launch at a time boots to make
 * a snapshot; launches that waited for it resume from that.
 */
async function startMachine(
  options: BootOptions,
  settings: BackendSettings,
  lock: ColdStartLock,
): Promise<Booted> {
  const { events } = options;
  let kept: MachineSnapshot | undefined;
  try {
    kept = snapshotOf(options, settings);
  } catch (thrown) {
    events.log('warning', cannotKeep(thrown));
  }
  if (kept === undefined) return await bootAppliance(options);
  const found = kept.find();
  if (found !== undefined) {
    const booted = await startFrom(found, options);
    if (booted !== undefined) return booted;
  }
  if (!lock.isTaken) {
    await lock.take(options);
    const made = found === undefined ? kept.find() : undefined;
    if (made !== undefined) {
      await lock.release();
      const booted = await startFrom(made, options);
      if (booted !== undefined) return booted;
    }
    if (options.accelerator === 'kvm') {
      // The other launch may have found meanwhile that KVM runs no guest.
      const problem = rememberedKvmProblem(cacheDirectory(options.config.cachedir), options.hv);
      if (problem !== undefined) throw new BootError('EIO', problem, seeAll);
    }
  }
  let keep: UnfinishedSnapshot;
  try {
    kept.discard();
    kept.prune();
    keep = kept.begin();
  } catch (thrown) {
    events.log('warning', cannotKeep(thrown));
    return await bootAppliance(options);
  }
  try {
    return await bootAppliance({ ...options, keep });
  } finally {
    keep.close();
  }
}

/** Boots with KVM if that may work. Without KVM, or after it failed, boots with TCG. */
async function bootWithAccelerator(
  options: BootWithout,
  settings: BackendSettings,
  kvm: string | undefined,
  lock: ColdStartLock,
): Promise<Booted> {
  const { forceTcg, forceKvm } = settings;
  const { config, events, hv } = options;
  if (forceTcg) return startMachine({ ...options, accelerator: 'tcg' }, settings, lock);
  const problem = kvmProblem(kvm);
  if (forceKvm) {
    if (problem !== undefined)
      throw new GuestfsError('ENODEV', `KVM is demanded by the backend setting force_kvm, but ${problem}`);
    return startMachine({ ...options, accelerator: 'kvm' }, settings, lock);
  }
  if (problem !== undefined) {
    events.log('library', `KVM is not used: ${problem}`);
    return startMachine({ ...options, accelerator: 'tcg' }, settings, lock);
  }
  const cache = cacheDirectory(config.cachedir);
  const remembered = rememberedKvmProblem(cache, hv);
  if (remembered !== undefined) {
    events.log('library', `KVM is not used: it did not run a guest here before: ${remembered}`);
    return startMachine({ ...options, accelerator: 'tcg' }, settings, lock);
  }
  let failure: BootError;
  try {
    return await startMachine({ ...options, accelerator: 'kvm' }, settings, lock);
  } catch (thrown) {
    if (!(thrown instanceof BootError)) throw thrown;
    failure = thrown;
  }
  const foundOut = rememberedKvmProblem(cache, hv);
  if (foundOut !== undefined) {
    events.log('library', `KVM is not used: another launch has just found out: ${foundOut}`);
    return startMachine({ ...options, accelerator: 'tcg' }, settings, lock);
  }
  events.log('library', `KVM does not run the appliance: ${failure.reason}`);
  // If the cause is not KVM, this second boot fails too and reports it; KVM is then not blamed.
  const booted = await startMachine({ ...options, accelerator: 'tcg' }, settings, lock);
  events.log(
    'warning',
    `KVM opens here but does not run a guest (${failure.reason}); the appliance runs without it, which is slower`,
  );
  try {
    const { reason, code } = failure;
    rememberKvmProblem(cache, hv, { reason, failure: code === 'ETIMEDOUT' ? 'silent' : 'failed' });
  } catch (thrown) {
    events.log('warning', `what was found out about KVM cannot be kept: ${asGuestfsError(thrown).message}`);
  }
  return booted;
}

/** Starts the appliance. */
export const startAppliance: StartBackend = applianceStarter();
