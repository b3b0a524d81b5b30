/** The attribute letters and kernel modules of a visible logical volume, as in `lvs`; see lvs(8). */
import type { LogicalVolumeText } from './metadata.js';
import type { LogicalVolume, VolumeGroup } from './state.js';

/** Facts about a whole group that reports need for each of its volumes. */
interface GroupIndex {
  readonly byName: ReadonlyMap<string, LogicalVolume>;
  /** Names of the thin pools that have volumes. */
  readonly usedPools: ReadonlySet<string>;
}

const indexes = new WeakMap<VolumeGroup, GroupIndex>();

/** A group does not change after it was assembled, so its index is made once. */
function indexOf(group: VolumeGroup): GroupIndex {
  let index = indexes.get(group);
  if (index === undefined) {
    const { logicalVolumes } = group;
    index = {
      byName: new Map(logicalVolumes.map((volume) => [volume.name, volume])),
      usedPools: new Set(logicalVolumes.flatMap(({ text }) => thinPool(text) ?? [])),
    };
    indexes.set(group, index);
  }
  return index;
}

/** The segment type that gives a volume's kind: that of its first segment. */
function typeOf(text: LogicalVolumeText): string {
  return text.segments[0]?.type ?? '';
}

function isRaid(type: string): boolean {
  return /^raid\d/.test(type);
}

/** A pool holds volumes and is not one to be used. */
export function isPool(volume: LogicalVolume): boolean {
  return typeOf(volume.text).endsWith('-pool');
}

function typeLetter(volume: LogicalVolume): string {
  const { text } = volume;
  const type = typeOf(text);
  if (text.status.includes('PVMOVE')) return 'p';
  if (volume.merging) return volume.origin === undefined ? 'O' : 'S';
  if (volume.isOrigin) return 'o';
  if (volume.origin !== undefined) return 's';
  const synced = !text.status.includes('NOTSYNCED');
  if (type === 'mirror') return synced ? 'm' : 'M';
  if (isRaid(type)) return synced ? 'r' : 'R';
  if (type === 'cache' || type === 'cache-pool' || type === 'writecache') return 'C';
  if (type === 'thin') return 'V';
  if (type === 'thin-pool') return 't';
  if (type === 'vdo-pool') return 'd';
  if (type === 'vdo' || type === 'zero' || type === 'error') return 'v';
  return '-';
}

function targetLetter(volume: LogicalVolume): string {
  const type = typeOf(volume.text);
  if (type === 'cache' || type === 'cache-pool' || type === 'writecache') return 'C';
  if (type === 'thin' || type === 'thin-pool') return 't';
  if (type === 'vdo' || type === 'vdo-pool') return 'd';
  if (type === 'mirror') return 'm';
  if (isRaid(type)) return 'r';
  if (volume.isOrigin || volume.origin !== undefined) return 's';
  if (type === 'zero' || type === 'error') return 'v';
  return '-';
}

const policyLetters: Readonly<Record<string, string>> = {
  contiguous: 'c',
  cling: 'l',
  cling_by_tags: 'l',
  normal: 'n',
  anywhere: 'a',
};

/** The letter of an allocation policy; `i` (inherit) where there is none. */
export function policyLetter(policy: string | undefined): string {
  return (policy === undefined ? undefined : policyLetters[policy]) ?? 'i';
}

/** The name of the pool of a thin volume. */
function thinPool(text: LogicalVolumeText): string | undefined {
  const segment = text.segments[0];
  const pool = segment?.type === 'thin' ? segment.fields.get('thin_pool') : undefined;
  return typeof pool === 'string' ? pool : undefined;
}

/** Whether a thin pool, or the pool of a thin volume, zeroes newly allocated blocks. */
function zeroesNewBlocks({ text, group }: LogicalVolume): boolean {
  const name = thinPool(text);
  const pool = name === undefined ? text : group.text.volumes.get(name);
  const segment = pool?.segments[0];
  return segment?.type === 'thin-pool' && segment.fields.get('zero_new_blocks') === 1;
}

/** The ten letters of `lv_attr`. */
export function attributesOf(volume: LogicalVolume, active: boolean, open: boolean): string {
  const { text, group } = volume;
  // A pool is in use by its own thin volumes.
  const serves = active && typeOf(text) === 'thin-pool' && indexOf(group).usedPools.has(volume.name);
  return [
    typeLetter(volume),
    text.status.includes('WRITE') ? 'w' : 'r',
    policyLetter(text.allocationPolicy),
    text.status.includes('FIXED_MINOR') ? 'm' : '-',
    active ? 'a' : '-',
    open || serves ? 'o' : '-',
    targetLetter(volume),
    zeroesNewBlocks(volume) ? 'z' : '-',
    volume.partial ? 'p' : '-',
    text.flags.includes('ACTIVATION_SKIP') ? 'k' : '-',
  ].join('');
}

/** The report's `origin`: the volume of which this is a snapshot, in brackets if that is hidden. */
export function originOf({ origin, text, group }: LogicalVolume): string {
  const segment = text.segments[0];
  const named = origin ?? segment?.fields.get(segment.type === 'thin' ? 'external_origin' : 'origin') ?? '';
  const other = typeof named === 'string' ? indexOf(group).byName.get(named) : undefined;
  if (other?.hidden) return `[${other.name}]`;
  return other?.name ?? (typeof named === 'string' ? named : '');
}

/** The kernel modules beyond device-mapper itself, in alphabetical order. */
export function modulesOf(volume: LogicalVolume): string[] {
  const modules = new Set<string>();
  for (const { type } of volume.text.segments) {
    if (isRaid(type)) modules.add('raid');
    else if (type === 'thin') modules.add('thin').add('thin-pool');
    else if (type === 'vdo-pool') modules.add('vdo');
    else if (type !== 'striped' && type !== 'linear') modules.add(type);
  }
  if (volume.isOrigin || volume.origin !== undefined) modules.add('snapshot');
  return [...modules].sort();
}
