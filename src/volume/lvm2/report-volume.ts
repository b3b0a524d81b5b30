/** The attribute letters and kernel modules of a logical volume, as `lvs` shows them; see lvs(8). */
import type { LogicalVolumeText } from './metadata.js';
import type { LogicalVolume } from './state.js';

function typeOf(text: LogicalVolumeText): string {
  return text.segments[0]?.type ?? '';
}

function isRaid(type: string): boolean {
  return /^raid\d/.test(type);
}

/** The volume that this one is a part of, by the field that names it. */
function userOf(volume: LogicalVolume, field: string, types: (type: string) => boolean): boolean {
  for (const other of volume.group.text.volumes.values()) {
    for (const { type, fields } of other.segments) {
      const named = fields.get(field);
      if (types(type) && (named === volume.name || (Array.isArray(named) && named.includes(volume.name))))
        return true;
    }
  }
  return false;
}

/** The place of a volume in a segment's list of pairs (metadata, image): 0 or 1; −1 where it is in none. */
function raidPlace(volume: LogicalVolume): number {
  for (const other of volume.group.text.volumes.values()) {
    for (const { type, fields } of other.segments) {
      const list = fields.get('raids') ?? fields.get('raid0_lvs');
      const place = isRaid(type) && Array.isArray(list) ? list.indexOf(volume.name) : -1;
      if (place >= 0) return type === 'raid0' ? 1 : place % 2;
    }
  }
  return -1;
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
  const raid = raidPlace(volume);
  if (raid === 0) return 'e';
  if (raid === 1 || userOf(volume, 'mirrors', (other) => other === 'mirror')) return 'i';
  if (userOf(volume, 'mirror_log', () => true)) return 'l';
  if (userOf(volume, 'metadata', (other) => other === 'thin-pool' || other === 'cache-pool')) return 'e';
  if (userOf(volume, 'pool', (other) => other === 'thin-pool')) return 'T';
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

/** Whether a thin pool zeroes the blocks it hands out. */
function zeroesNewBlocks(volume: LogicalVolume): boolean {
  const segment = volume.text.segments[0];
  if (segment?.type === 'thin-pool') return segment.fields.get('zero_new_blocks') === 1;
  const pool = segment?.type === 'thin' ? segment.fields.get('thin_pool') : undefined;
  const found = typeof pool === 'string' ? volume.group.text.volumes.get(pool)?.segments[0] : undefined;
  return found?.fields.get('zero_new_blocks') === 1;
}

/** The ten letters of `lv_attr`. */
export function attributesOf(volume: LogicalVolume, open: boolean): string {
  const { text } = volume;
  return [
    typeLetter(volume),
    text.status.includes('WRITE') ? 'w' : 'r',
    text.allocationPolicy === undefined ? 'i' : (policyLetters[text.allocationPolicy] ?? 'i'),
    text.status.includes('FIXED_MINOR') ? 'm' : '-',
    volume.active ? 'a' : '-',
    open ? 'o' : '-',
    targetLetter(volume),
    zeroesNewBlocks(volume) ? 'z' : '-',
    volume.partial ? 'p' : '-',
    text.flags.includes('ACTIVATION_SKIP') ? 'k' : '-',
  ].join('');
}

/** The kernel modules that it takes beyond device-mapper itself. */
export function modulesOf(volume: LogicalVolume): string[] {
  const modules = new Set<string>();
  for (const { type } of volume.text.segments) {
    if (isRaid(type)) modules.add('raid');
    else if (type === 'thin') modules.add('thin-pool').add('thin');
    else if (type !== 'striped' && type !== 'linear') modules.add(type);
  }
  if (volume.isOrigin || volume.origin !== undefined) modules.add('snapshot');
  return [...modules];
}
