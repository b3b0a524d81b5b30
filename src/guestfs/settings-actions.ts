/** The actions that read and change settings. */
import type { SyncActionName } from '../api/index.js';
import { GuestfsError } from '../base/index.js';
import { applyEnvironment, environmentOf } from './environment.js';
import type { SyncHandlers } from './handle-internals.js';

export const settingActions = {
  set_verbose: ({ settings }, verbose) => {
    settings.verbose = verbose;
  },
  get_verbose: ({ settings }) => settings.verbose,
  set_trace: ({ settings }, trace) => {
    settings.trace = trace;
  },
  get_trace: ({ settings }) => settings.trace,
  set_autosync: ({ settings }, autosync) => {
    settings.autosync = autosync;
  },
  get_autosync: ({ settings }) => settings.autosync,
  set_identifier: ({ settings }, identifier) => {
    // The identifier stands in every trace line, where a line feed would forge another line.
    if (/[^0-9A-Za-z_-]/.test(identifier)) {
      throw new GuestfsError('EINVAL', 'an identifier may have letters, digits, _ and - only');
    }
    settings.identifier = identifier;
  },
  get_identifier: ({ settings }) => settings.identifier,
  set_program: ({ settings }, program) => {
    settings.program = program;
  },
  get_program: ({ settings }) => settings.program,

  set_path: ({ settings }, path) => settings.setPath(path),
  get_path: ({ settings }) => settings.path,
  set_tmpdir: ({ settings }, tmpdir) => settings.setTmpdir(tmpdir),
  get_tmpdir: ({ settings }) => settings.tmpdir,
  set_cachedir: ({ settings }, cachedir) => settings.setCachedir(cachedir),
  get_cachedir: ({ settings }) => settings.cachedir,
  get_sockdir: ({ settings }) => settings.sockdir,

  set_memsize: ({ settings }, memsize) => settings.setMemsize(memsize),
  get_memsize: ({ settings }) => settings.memsize,
  set_smp: ({ settings }, smp) => settings.setSmp(smp),
  get_smp: ({ settings }) => settings.smp,
  set_network: ({ settings }, network) => {
    settings.network = network;
  },
  get_network: ({ settings }) => settings.network,
  set_append: ({ settings }, append) => {
    settings.append = append;
  },
  get_append: ({ settings }) => settings.append,
  set_hv: ({ settings }, hv) => settings.setHv(hv),
  get_hv: ({ settings }) => settings.hv,
  set_qemu: ({ settings }, hv) => settings.setHv(hv),
  get_qemu: ({ settings }) => settings.hv,
  config: ({ settings }, parameter, value) => settings.addHvParam(parameter, value),

  set_backend: ({ settings }, backend) => settings.setBackend(backend),
  get_backend: ({ settings }) => settings.backend,
  set_attach_method: ({ settings }, backend) => settings.setBackend(backend),
  get_attach_method: ({ settings }) => (settings.backend === 'direct' ? 'appliance' : settings.backend),
  set_backend_settings: ({ settings }, list) => settings.setBackendSettings(list),
  get_backend_settings: ({ settings }) => [...settings.backendSettings],
  set_backend_setting: ({ settings }, name, value) => settings.setBackendSetting(name, value),
  get_backend_setting: ({ settings }, name) => {
    const value = settings.findBackendSetting(name);
    if (value === undefined) throw new GuestfsError('ESRCH', `there is no setting '${name}'`);
    return value;
  },
  clear_backend_setting: ({ settings }, name) => settings.clearBackendSetting(name),

  set_pgroup: ({ settings }, pgroup) => {
    settings.pgroup = pgroup;
  },
  get_pgroup: ({ settings }) => settings.pgroup,
  set_recovery_proc: ({ settings }, recoveryProc) => {
    settings.recoveryProc = recoveryProc;
  },
  get_recovery_proc: ({ settings }) => settings.recoveryProc,
  set_direct: ({ settings }, direct) => {
    settings.direct = direct;
  },
  get_direct: ({ settings }) => settings.direct,
  set_selinux: ({ settings }, selinux) => {
    settings.selinux = selinux;
  },
  get_selinux: ({ settings }) => settings.selinux,

  parse_environment: ({ settings, state }) => applyEnvironment(settings, process.env, state === 'config'),
  parse_environment_list: ({ settings, state }, list) =>
    applyEnvironment(settings, environmentOf(list), state === 'config'),
} satisfies Partial<SyncHandlers<SyncActionName>>;
