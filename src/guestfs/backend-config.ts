/** What a backend is told when it is started. */
import type { BackendConfig } from '../api/index.js';
import type { Settings } from './settings.js';

/** The settings as they are now, with drives. */
export function backendConfig(
  settings: Settings,
  drives: BackendConfig['drives'],
  policy: BackendConfig['policy'],
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
    hvParams: settings.hvParams,
  };
}
