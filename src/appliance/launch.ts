/** The start of the direct backend: the appliance is found or built, and booted with the accelerator that works here. */
import type { StartBackend } from '../api/index.js';
import { asFailureOf, asGuestfsError, GuestfsError } from '../base/index.js';
import { kvmProblem, rememberedKvmProblem, rememberKvmProblem } from './accelerator.js';
import { findAppliance } from './appliance.js';
import { ApplianceBackend } from './backend.js';
import { readBackendSettings } from './backend-settings.js';
import {
  BootError,
  type Booted,
  type BootLimits,
  type BootOptions,
  bootAppliance,
  launchSteps,
  usualLimits,
} from './boot.js';
import { cacheDirectory } from './private-directory.js';
import { findProgram } from './programs.js';
import { findArchitecture } from './qemu.js';

/** The program, by a path or a name. Throws GuestfsError (ENOENT). */
function findHypervisor(hv: string): string {
  const found = findProgram(hv);
  if (found !== undefined) return found;
  throw new GuestfsError(
    'ENOENT',
    `the hypervisor ${hv} is missing or may not be run: install it (Debian: the package qemu-system-x86), or choose another with setHv or LIBGUESTFS_HV`,
  );
}

/** Makes the start of a backend; tests shorten its patience. */
export function applianceStarter(limits: BootLimits = usualLimits): StartBackend {
  return async (config, events, signal) => {
    try {
      if (signal?.aborted === true)
        throw new GuestfsError('ECANCELED', 'the launch was cancelled', { cause: signal.reason });
      const settings = readBackendSettings(config.backendSettings);
      const architecture = findArchitecture(process.arch);
      const hv = findHypervisor(config.hv);
      events.progress(0, launchSteps.total);
      const appliance = await findAppliance({
        path: config.path,
        cachedir: config.cachedir,
        architecture: architecture.name,
        signal,
      });
      events.progress(launchSteps.found, launchSteps.total);
      const booted = await bootWithAccelerator(
        { config, events, signal, architecture, appliance, hv, gdb: settings.gdb, limits },
        settings,
      );
      return await finish(booted, () => new ApplianceBackend(booted, config, events));
    } catch (thrown) {
      throw asFailureOf('launch', thrown);
    }
  };
}

/** The last that may fail of a launch; the machine does not survive that. */
async function finish<T>(booted: Booted, make: () => T): Promise<T> {
  try {
    await booted.connection.identify();
    return make();
  } catch (thrown) {
    booted.connection.close();
    booted.machine.kill();
    await booted.machine.ended;
    throw thrown;
  }
}

type BootWithout = Omit<BootOptions, 'accelerator'>;

/** Boots with KVM where it may work, and else, or when it turns out not to, without. */
async function bootWithAccelerator(
  options: BootWithout,
  { forceTcg, forceKvm }: { forceTcg: boolean; forceKvm: boolean },
): Promise<Booted> {
  const { config, events, hv } = options;
  if (forceTcg) return bootAppliance({ ...options, accelerator: 'tcg' });
  const problem = kvmProblem();
  if (forceKvm) {
    if (problem !== undefined)
      throw new GuestfsError('ENODEV', `KVM is demanded by the backend setting force_kvm, but ${problem}`);
    return bootAppliance({ ...options, accelerator: 'kvm' });
  }
  if (problem !== undefined) {
    events.log('library', `KVM is not used: ${problem}`);
    return bootAppliance({ ...options, accelerator: 'tcg' });
  }
  const cache = cacheDirectory(config.cachedir);
  const remembered = rememberedKvmProblem(cache, hv);
  if (remembered !== undefined) {
    events.log('library', `KVM is not used: it did not run a guest here before: ${remembered}`);
    return bootAppliance({ ...options, accelerator: 'tcg' });
  }
  let failure: BootError;
  try {
    return await bootAppliance({ ...options, accelerator: 'kvm' });
  } catch (thrown) {
    if (!(thrown instanceof BootError)) throw thrown;
    failure = thrown;
  }
  events.log('library', `KVM does not run the appliance: ${failure.message}`);
  // Whatever was wrong without KVM too is told by this second boot, and is not KVM's fault.
  const booted = await bootAppliance({ ...options, accelerator: 'tcg' });
  events.log(
    'warning',
    `KVM opens here but does not run a guest (${failure.message}); the appliance runs without it, which is slower`,
  );
  try {
    rememberKvmProblem(cache, hv, failure.message);
  } catch (thrown) {
    events.log('warning', `what was found out about KVM cannot be kept: ${asGuestfsError(thrown).message}`);
  }
  return booted;
}

/** Starts the appliance. */
export const startAppliance: StartBackend = applianceStarter();
