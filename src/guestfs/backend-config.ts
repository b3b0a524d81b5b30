/** The configuration that a backend starts with. */
import type { BackendConfig } from '../api/index.js';
import { type Limits, readLimits } from '../base/index.js';
import type { Settings } from './settings.js';

/** The present settings, with the drives. */
export function backendConfig(
  settings: Settings,
  drives: BackendConfig['drives'],
  policy: BackendConfig['policy'],
  limits: Partial<Limits>,
  workerUrl?: string,
): BackendConfig {
  return {
    drives,
    policy,
    verbose: settings.verbose,
    trace: settings.trace,
    tmpdir: settings.tmpdir,
    cachedir: settings.cachedir,
    sockdir: settings.sockdir,
    memsize: settings.memsize,
    smp: settings.smp,
    hv: settings.hv,
    path: settings.path,
    append: settings.append,
    network: settings.network,
    autosync: settings.autosync,
    recoveryProc: settings.recoveryProc,
    backendSettings: settings.backendSettings,
    limits: readLimits(settings.backendSettings, limits),
    workerUrl,
    hvParams: settings.hvParams,
  };
}
