/** Settings from the environment: the `LIBGUESTFS_…` variables of libguestfs, and `TMPDIR`. */
import { GuestfsError, readTruth } from '../base/index.js';
import type { Settings } from './settings.js';

type Environment = Readonly<Record<string, string | undefined>>;

function requireTruth(text: string): boolean {
  const value = readTruth(text);
  if (value === undefined) throw new GuestfsError('EINVAL', `'${text}' is neither true nor false`);
  return value;
}

function readMegabytes(text: string): number {
  if (!/^\s*[+-]?[0-9]{1,9}\s*$/.test(text)) throw new GuestfsError('EINVAL', `'${text}' is no number`);
  return Number(text);
}

interface Variable {
  /** The variable names; the first one that is set counts. */
  readonly names: readonly string[];
  /** Whether the empty string is a value too. */
  readonly mayBeEmpty?: true;
  /** May be changed after launch. */
  readonly anyTime?: true;
  readonly apply: (settings: Settings, text: string) => void;
}

const variables: readonly Variable[] = [
  {
    names: ['LIBGUESTFS_TRACE'],
    mayBeEmpty: true,
    anyTime: true,
    apply: (settings, text) => {
      settings.trace = requireTruth(text);
    },
  },
  {
    names: ['LIBGUESTFS_DEBUG'],
    mayBeEmpty: true,
    anyTime: true,
    apply: (settings, text) => {
      settings.verbose = requireTruth(text);
    },
  },
  { names: ['LIBGUESTFS_TMPDIR'], apply: (settings, text) => settings.setTmpdir(text) },
  { names: ['LIBGUESTFS_CACHEDIR'], apply: (settings, text) => settings.setCachedir(text) },
  { names: ['TMPDIR'], anyTime: true, apply: (settings, text) => settings.setEnvironmentTmpdir(text) },
  { names: ['XDG_RUNTIME_DIR'], anyTime: true, apply: (settings, text) => settings.setRuntimeDir(text) },
  { names: ['LIBGUESTFS_PATH'], apply: (settings, text) => settings.setPath(text) },
  { names: ['LIBGUESTFS_HV', 'LIBGUESTFS_QEMU'], apply: (settings, text) => settings.setHv(text) },
  {
    names: ['LIBGUESTFS_APPEND'],
    mayBeEmpty: true,
    apply: (settings, text) => {
      settings.append = text;
    },
  },
  {
    names: ['LIBGUESTFS_MEMSIZE'],
    apply: (settings, text) => settings.setMemsize(readMegabytes(text)),
  },
  {
    names: ['LIBGUESTFS_BACKEND', 'LIBGUESTFS_ATTACH_METHOD'],
    apply: (settings, text) => settings.setBackend(text),
  },
  {
    names: ['LIBGUESTFS_BACKEND_SETTINGS'],
    mayBeEmpty: true,
    apply: (settings, text) => settings.setBackendSettings(text === '' ? [] : text.split(':')),
  },
];

/**
 * Makes the settings of an environment. Throws GuestfsError, with the variable's name in front, for an invalid value
 * and for a setting that cannot be changed any more; the settings before it stay made.
 */
export function applyEnvironment(settings: Settings, environment: Environment, inConfig: boolean): void {
  for (const { names, mayBeEmpty, anyTime, apply } of variables) {
    for (const name of names) {
      const text = environment[name];
      if (text === undefined || (text === '' && mayBeEmpty !== true)) continue;
      try {
        if (!inConfig && anyTime !== true)
          throw new GuestfsError('EBADFD', 'this can only be set in the config state');
        apply(settings, text);
      } catch (thrown) {
        if (!(thrown instanceof GuestfsError)) throw thrown;
        throw thrown.within(name);
      }
      break;
    }
  }
}

/** An environment from a list of `NAME=value`. The first value of a name counts, as in a process. */
export function environmentOf(list: readonly string[]): Environment {
  const environment: Record<string, string> = Object.create(null);
  for (const entry of list) {
    const end = entry.indexOf('=');
    if (end > 0) environment[entry.slice(0, end)] ??= entry.slice(end + 1);
  }
  return environment;
}
