/**
 * Checks what the direct backend needs or uses on this machine, in the order of a launch: the state of each thing,
 * and a remedy for each problem. Nothing is made or changed, and the appliance is not booted.
 */
import { accessSync, constants, lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendConfig } from '../../api/index.js';
import { asGuestfsError, GuestfsError } from '../../base/index.js';
import { findKvmVerdict, kvmProblem, kvmRemedy } from '../machine/accelerator.js';
import { type AppliancePlace, describeAppliance, findPlace } from '../machine/appliance.js';
import { readBackendSettings } from '../machine/backend-settings.js';
import { freeSpace, listKept } from '../machine/cache-contents.js';
import { readKernelImage } from '../machine/kernel-image.js';
import { cachePath, checkOwnDirectory } from '../machine/private-directory.js';
import { findProgram, runProgram } from '../machine/programs.js';
import { type Architecture, findArchitecture } from '../machine/qemu.js';
import { SnapshotStore } from '../machine/snapshot-store.js';
import { listKernels } from '../machine/supermin.js';
import { countActions } from '../wire/compat.js';
import { daemonOfParts } from './daemon-parts.js';
import { tryGuest } from './guest-trial.js';

/** One thing, as it was found. */
export interface CheckResult {
  readonly name: string;
  /**
   * `limited`: the backend works, but less well. `missing`, and `failed` for a thing that exists: the backend cannot
   * work.
   */
  readonly status: 'ok' | 'limited' | 'missing' | 'failed';
  readonly detail: string;
  /** What to do about it. */
  readonly remedy?: string;
  /** The detail for programs: sizes in bytes, times in milliseconds or as ISO 8601. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** The settings that matter here. */
type DoctorSettings = Pick<BackendConfig, 'hv' | 'path' | 'cachedir' | 'backendSettings'>;

interface DoctorOptions {
  readonly signal?: AbortSignal | undefined;
  /** How sizes are written in details. */
  readonly showSize: (bytes: number) => string;
  /** How long the trial guest may run under KVM, in milliseconds. */
  readonly trialLimitInMs?: number;
  /** Where the distribution's kernels are. */
  readonly boot?: string;
}

/** The surroundings that each check uses. */
interface Surroundings extends DoctorOptions {
  readonly settings: DoctorSettings;
  readonly architecture: Architecture;
  readonly cache: string;
  readonly place: AppliancePlace | undefined;
}

/** How long a program may take to print its version, in milliseconds. */
const versionPatienceInMs = 5000;

/** The first that takes devices as JSON. */
const leastQemu = [6, 2] as const;

/** All checks. Rejects with GuestfsError only if cancelled. */
export async function checkAppliance(
  settings: DoctorSettings,
  options: DoctorOptions,
): Promise<CheckResult[]> {
  let architecture: Architecture;
  try {
    architecture = findArchitecture(process.arch);
  } catch (thrown) {
    return [{ name: 'processor', status: 'failed', detail: asGuestfsError(thrown).message }];
  }
  const surroundings: Surroundings = {
    ...options,
    settings,
    architecture,
    cache: cachePath(settings.cachedir),
    place: findPlace(settings.path),
  };
  const hv = findProgram(settings.hv);
  const kernel = findKernel(surroundings);
  const [qemu, kvm, supermin, daemon] = await Promise.all([
    checkQemu(surroundings, hv),
    checkKvm(surroundings, hv, kernel),
    checkSupermin(surroundings),
    checkDaemon(surroundings),
  ]);
  return [
    qemu,
    kvm,
    supermin,
    checkKernels(surroundings),
    checkAppliancePlace(surroundings),
    daemon,
    checkCache(surroundings),
    checkSnapshots(surroundings),
  ];
}

/** The version that a program prints. Rejects with GuestfsError. */
async function versionOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const run = await runProgram(path, ['--version'], { signal, timeoutInMs: versionPatienceInMs });
  if (run.exitCode === 0) return /[0-9]+(?:\.[0-9]+)+/.exec(run.output)?.[0] ?? 'of unknown version';
  const line = run.output.trim().split('\n').at(-1) ?? '';
  throw new GuestfsError('EIO', `${path} --version failed${line === '' ? '' : `: ${line}`}`);
}

/** Turns an error into a result, unless the whole run was cancelled. */
function shown(thrown: unknown): GuestfsError {
  const error = asGuestfsError(thrown);
  if (error.code === 'ECANCELED') throw error;
  return error;
}

async function checkQemu({ settings, signal }: Surroundings, hv: string | undefined): Promise<CheckResult> {
  const name = 'qemu';
  const install = 'install it (Debian: qemu-system-x86), or choose another with LIBGUESTFS_HV';
  if (hv === undefined)
    return {
      name,
      status: 'missing',
      detail: `${settings.hv} is not there, or may not be run`,
      remedy: install,
    };
  let version: string;
  try {
    version = await versionOf(hv, signal);
  } catch (thrown) {
    return { name, status: 'failed', detail: shown(thrown).message, remedy: install, facts: { path: hv } };
  }
  const facts = { path: hv, version };
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < leastQemu[0] || (major === leastQemu[0] && minor < leastQemu[1]))
    return {
      name,
      status: 'failed',
      detail: `${hv}, ${version}: ${leastQemu.join('.')} or later is needed`,
      remedy: 'install a later one, and choose it with LIBGUESTFS_HV',
      facts,
    };
  return { name, status: 'ok', detail: `${version}, ${hv}`, facts };
}

/** A kernel for the trial guest: the appliance's own, or the newest of the distribution. */
function findKernel({ place, cache, boot }: Surroundings): string | undefined {
  const { all, unreadable } = listKernels(boot);
  const readable = all.filter((path) => !unreadable.includes(path)).sort();
  const directory = place?.kind === 'fixed' ? place.directory : join(cache, 'appliance.d');
  return [join(directory, 'kernel'), ...readable.reverse()].find((path) => {
    try {
      return readKernelImage(path).architecture !== undefined;
    } catch {
      return false; // not there, or not to be read: the next one
    }
  });
}

/** Boots a trial guest, since KVM may open without being able to run one. */
async function checkKvm(
  { settings, architecture, cache, signal, trialLimitInMs }: Surroundings,
  hv: string | undefined,
  kernel: string | undefined,
): Promise<CheckResult> {
  const name = 'KVM';
  const problem = kvmProblem();
  const verdict = hv === undefined ? undefined : findKvmVerdict(cache, hv);
  const remembered =
    verdict === undefined
      ? null
      : {
          reason: verdict.reason,
          at: new Date(verdict.at).toISOString(),
          until: new Date(verdict.until).toISOString(),
          path: verdict.path,
        };
  const finding = (
    status: CheckResult['status'],
    detail: string,
    runs: boolean | null,
    remedy?: string,
    more?: object,
  ): CheckResult => ({
    name,
    status,
    detail,
    ...(remedy === undefined ? {} : { remedy }),
    facts: { opens: problem === undefined, runs, remembered, ...more },
  });
  const slow = 'the appliance runs without it, some ten times slower';
  if (problem !== undefined) return finding('limited', `${problem}; ${slow}`, false, kvmRemedy());
  if (readBackendSettings(settings.backendSettings).forceTcg)
    return finding('limited', `not used: the backend setting force_tcg; ${slow}`, null);
  if (hv === undefined || kernel === undefined)
    return finding(
      'limited',
      `opens; without ${hv === undefined ? 'qemu' : 'a kernel'} no guest was tried`,
      null,
    );
  const trial = await tryGuest({
    hv,
    kernel,
    architecture,
    accelerator: 'kvm',
    signal,
    ...(trialLimitInMs === undefined ? {} : { limitInMs: trialLimitInMs }),
  });
  const { milliseconds } = trial;
  if (trial.problem !== undefined) {
    const known =
      remembered === null ? '' : ` (launches remember that until ${remembered.until.slice(0, 10)})`;
    const detail = `opens, but runs no guest: ${trial.problem}; ${slow}${known}`;
    return finding('limited', detail, false, kvmRemedy(), { reason: trial.problem, milliseconds });
  }
  if (remembered !== null)
    return finding(
      'limited',
      `runs a guest; it did not on ${remembered.at.slice(0, 10)} (${remembered.reason}), and no launch tries it before ${remembered.until.slice(0, 10)}`,
      true,
      `to have it tried by the next launch: rm ${remembered.path}`,
      { milliseconds },
    );
  return finding('ok', `ran a guest: a kernel booted in ${Math.round(milliseconds)} ms`, true, undefined, {
    milliseconds,
  });
}

async function checkSupermin({ place, signal }: Surroundings): Promise<CheckResult> {
  const name = 'supermin';
  const path = findProgram('supermin');
  if (place?.kind === 'fixed') return { name, status: 'ok', detail: 'not needed by a fixed appliance' };
  if (path === undefined)
    return {
      name,
      status: 'missing',
      detail: 'the program that builds the appliance',
      remedy: 'install it (Debian: supermin)',
    };
  try {
    const version = await versionOf(path, signal);
    return { name, status: 'ok', detail: `${version}, ${path}`, facts: { path, version } };
  } catch (thrown) {
    return { name, status: 'failed', detail: shown(thrown).message, facts: { path } };
  }
}

/** The kernels from which supermin takes the newest. */
function checkKernels({ place, boot = '/boot' }: Surroundings): CheckResult {
  const name = 'kernel';
  if (place?.kind === 'fixed') return { name, status: 'ok', detail: 'that of the fixed appliance' };
  const { all, unreadable } = listKernels(boot);
  const facts = { kernels: all, unreadable };
  if (all.length === 0)
    return {
      name,
      status: 'missing',
      detail: `none in ${boot}`,
      remedy: 'install one (Debian: linux-image-cloud-amd64 or linux-image-amd64)',
      facts,
    };
  const [first] = unreadable;
  if (first !== undefined)
    return {
      name,
      status: unreadable.length === all.length ? 'failed' : 'limited',
      detail: `${unreadable.join(', ')} may not be read by this user`,
      remedy: `\`sudo chmod +r ${first}\`; for good \`dpkg-statoverride --add root root 0644 ${first}\``,
      facts,
    };
  return { name, status: 'ok', detail: all.join(', '), facts };
}

function checkAppliancePlace({ settings, place, cache, architecture, showSize }: Surroundings): CheckResult {
  const name = 'appliance';
  if (place === undefined)
    return {
      name,
      status: 'missing',
      detail: `none in ${settings.path.split(':').join(', ')}`,
      remedy: 'install its parts (Debian: libguestfs0), or name its directory with LIBGUESTFS_PATH',
      facts: { path: settings.path },
    };
  const parts = join(place.directory, 'supermin.d');
  const directory = place.kind === 'fixed' ? place.directory : join(cache, 'appliance.d');
  if (place.kind === 'supermin' && lstatSync(directory, { throwIfNoEntry: false }) === undefined)
    return {
      name,
      status: 'ok',
      detail: `of ${parts}; not built yet, as the first launch does`,
      facts: { kind: place.kind, parts, built: null },
    };
  try {
    const appliance = describeAppliance(place.kind, directory, architecture.name);
    const { kernelVersion, root } = appliance;
    const built = {
      directory,
      kernelVersion,
      rootSizeOnDisk: statSync(root).blocks * 512,
      at: statSync(directory).mtime.toISOString(), // the files have the date of their last use
    };
    const size = showSize(built.rootSizeOnDisk);
    const of = place.kind === 'fixed' ? 'fixed' : `of ${parts}, built ${built.at.slice(0, 10)}`;
    return {
      name,
      status: 'ok',
      detail: `Linux ${kernelVersion ?? 'of unknown version'}, ${size}, ${of}`,
      facts: { kind: place.kind, ...(place.kind === 'fixed' ? {} : { parts }), built },
    };
  } catch (thrown) {
    const { message } = asGuestfsError(thrown);
    const remedy = place.kind === 'fixed' ? undefined : `remove ${directory}: the next launch builds it anew`;
    return { name, status: 'failed', detail: message, ...(remedy === undefined ? {} : { remedy }) };
  }
}

async function checkDaemon({ place }: Surroundings): Promise<CheckResult> {
  const name = 'guestfsd';
  if (place === undefined) return { name, status: 'missing', detail: 'is a part of the appliance' };
  if (place.kind === 'fixed')
    return { name, status: 'ok', detail: 'inside the fixed appliance; a launch tells its version' };
  try {
    const daemon = await daemonOfParts(join(place.directory, 'supermin.d'));
    const { possible, all } = countActions(daemon);
    return {
      name,
      status: 'ok',
      detail: `${daemon.name}: ${possible} of ${all} actions`,
      facts: { version: daemon.name, actions: possible, allActions: all },
    };
  } catch (thrown) {
    return {
      name,
      status: 'failed',
      detail: asGuestfsError(thrown).message,
      remedy: 'install the parts of the appliance again (Debian: libguestfs0)',
    };
  }
}

/** The directory for files that later launches use again. */
function checkCache({ settings, cache, showSize }: Surroundings): CheckResult {
  const name = 'cache';
  const elsewhere = 'choose another directory with LIBGUESTFS_CACHEDIR';
  try {
    const free = freeSpace(settings.cachedir);
    const stats = lstatSync(cache, { throwIfNoEntry: false });
    if (stats === undefined) {
      accessSync(settings.cachedir, constants.W_OK | constants.X_OK);
      const detail = `${cache}, not made yet; ${showSize(free)} free`;
      return { name, status: 'ok', detail, facts: { path: cache, exists: false, freeInBytes: free } };
    }
    checkOwnDirectory(cache, process.geteuid?.() ?? 0);
    const kept = listKept(cache);
    const sizeInBytes = kept.reduce((sum, one) => sum + one.sizeInBytes, 0);
    const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
    const list = kept.map(({ what, sizeInBytes: size }) => `${what} ${showSize(size)}`).join(', ');
    return {
      name,
      status: 'ok',
      detail: `${cache}, owner ${stats.uid}, mode ${mode}, ${showSize(sizeInBytes)}${list === '' ? '' : ` (${list})`}; ${showSize(free)} free`,
      facts: { path: cache, exists: true, owner: stats.uid, mode, sizeInBytes, freeInBytes: free, kept },
    };
  } catch (thrown) {
    const { message } = asGuestfsError(thrown);
    return {
      name,
      status: 'failed',
      detail: message,
      ...(message.includes('LIBGUESTFS_CACHEDIR') ? {} : { remedy: elsewhere }),
      facts: { path: cache },
    };
  }
}

/** Whether launches can resume from a snapshot. Only the launch itself knows which snapshot fits. */
function checkSnapshots({ settings, cache }: Surroundings): CheckResult {
  const name = 'start';
  try {
    if (readBackendSettings(settings.backendSettings).noSnapshotStart)
      return { name, status: 'ok', detail: 'always boots: the backend setting no_snapshot_start is set' };
    const states = new SnapshotStore(cache).list();
    const facts = {
      states: states.map(({ usedAt, ...state }) => ({ ...state, usedAt: usedAt.toISOString() })),
    };
    const [last] = states;
    const detail =
      last === undefined
        ? 'the first launch boots and keeps the started appliance; later ones go on from there'
        : `${states.length} started appliance${states.length === 1 ? '' : 's'} kept to go on from, last used ${last.usedAt.toISOString().slice(0, 10)}`;
    return { name, status: 'ok', detail, facts };
  } catch (thrown) {
    return {
      name,
      status: 'limited',
      detail: `every launch boots: ${asGuestfsError(thrown).message}`,
      remedy: 'choose another directory with LIBGUESTFS_CACHEDIR',
    };
  }
}
