/**
 * What an answer of the engine lacks that the appliance's has: failures, and answers over all devices that leave out
 * what the engine knows by name and cannot read. The measure is libguestfs's own answer: what would not change it is no
 * reason to go over, as a locked disk without its key, or a filesystem of data beside a complete system.
 */
import type { Backend, Unreadable } from '../../api/index.js';
import { asGuestfsError, UnsupportedError } from '../../base/index.js';
import { type Reason, reasonFor, reasonOfFailure } from './reason.js';

/** How a call of the engine ended. */
export type CallOutcome = { readonly value: unknown } | { readonly thrown: unknown };

/** The value of a call, or its failure. */
export function settled(outcome: CallOutcome): unknown {
  if ('thrown' in outcome) throw outcome.thrown;
  return outcome.value;
}

/** What neither backend can look into without a key. */
const locked: ReadonlySet<string> = new Set(['crypto_LUKS', 'BitLocker']);

/** Answers about all devices, which change with each device that can be read. */
const overDevices: ReadonlySet<string> = new Set([
  'findfs_label',
  'findfs_uuid',
  'inspect_os',
  'list_filesystems',
  'list_md_devices',
  'list_partitions',
  'lvs',
  'lvs_full',
  'pvs',
  'pvs_full',
  'vgs',
  'vgs_full',
]);

const engineCall = (engine: Backend, action: string, ...args: readonly unknown[]): Promise<unknown> =>
  engine.call(action, args, {}, { wantsProgress: false });

/** What the appliance can read, or assemble, and the engine cannot. */
async function readableThere(engine: Backend): Promise<Unreadable[]> {
  // safe: the result of this internal call
  const unreadable = (await engineCall(engine, 'internal_unreadable')) as readonly Unreadable[];
  return unreadable.filter(
    ({ type, elsewhere }) => elsewhere === 'appliance' && type !== null && !locked.has(type),
  );
}

/** Where nobody keeps a second system: a filesystem that a system has there is a part of it. */
function isPartOfSystem(mountpoint: string): boolean {
  return !['/', '/usr'].includes(mountpoint) && !/^\/(?:mnt|media|run)(?:\/|$)/.test(mountpoint);
}

/** The ones that may hold a system beside those that were found, or a part of them that inspection looks into. */
async function mayHoldSystems(
  engine: Backend,
  unread: readonly Unreadable[],
  roots: readonly string[],
): Promise<Unreadable[]> {
  const parts = new Set<string>();
  for (const root of roots) {
    // safe: the result of this action
    const mounts = (await engineCall(engine, 'inspect_get_mountpoints', root)) as ReadonlyMap<string, string>;
    for (const [mountpoint, device] of mounts) if (isPartOfSystem(mountpoint)) parts.add(device);
  }
  // Linux mounts the disks of Windows anywhere.
  return unread.filter(({ device, type }) => type === 'ntfs' || !parts.has(device));
}

function reasonOf([first]: readonly Unreadable[]): Reason | undefined {
  return first && reasonFor(`${first.type} on ${first.device}`, first.device, `reading ${first.type}`);
}

const lackOf = (what: string): Reason => reasonFor(what, 'the embedded backend', what);

/** Arrays, and volumes of dynamic disks: devices that the appliance assembles and the engine does not. */
const assembledDevice = /^\/dev\/(?:md\d|md\/|mapper\/ldm_)/;
const assembledFrom = /_raid_member$|^LDM$/;

/** The reason of a failed call, if the appliance may do better. */
async function reasonAfterFailure(
  engine: Backend,
  action: string,
  thrown: unknown,
): Promise<Reason | undefined> {
  const reason = reasonOfFailure(thrown);
  const { code, path } = asGuestfsError(thrown);
  if (code === 'ENOENT' && path !== undefined && assembledDevice.test(path)) {
    const unread = await readableThere(engine);
    return reasonOf(unread.filter(({ type }) => type !== null && assembledFrom.test(type)));
  }
  if (!overDevices.has(action)) return reason;
  // Damage is named first, though there may be a system beside the damage.
  if (reason === undefined && (action !== 'inspect_os' || code === 'ECANCELED')) return undefined;
  const found = reasonOf(await readableThere(engine));
  return found && { text: found.text, error: thrown instanceof UnsupportedError ? thrown : found.error };
}

/**
 * Why a call that the engine has done should be made again by the appliance; undefined where it should not.
 * `hasWarned`: the engine has warned of something that the appliance may be able to do.
 */
export async function reasonAfter(
  engine: Backend,
  action: string,
  args: readonly unknown[],
  outcome: CallOutcome,
  hasWarned: boolean,
): Promise<Reason | undefined> {
  if ('thrown' in outcome) return await reasonAfterFailure(engine, action, outcome.thrown);
  const { value } = outcome;
  switch (action) {
    case 'inspect_os': {
      if (!hasWarned) return undefined;
      // safe: the result of this action
      return reasonOf(await mayHoldSystems(engine, await readableThere(engine), value as readonly string[]));
    }
    case 'list_filesystems':
      return hasWarned ? reasonOf(await readableThere(engine)) : undefined;
    case 'internal_feature_available':
      return value === 1 ? lackOf(`the feature group ${args[0]}`) : undefined;
    case 'filesystem_available':
      return value === false ? lackOf(`the filesystem ${args[0]}`) : undefined;
    default:
      return undefined;
  }
}
