/**
 * A volume group as in its metadata text: physical volumes, logical volumes and their segments. By lvm2's
 * lib/format_text/import_vsn1.c. Sizes in the text are in sectors of 512 bytes or in extents.
 */
import { CorruptError } from '../../base/index.js';
import { type ConfigSection, type ConfigValue, parseConfig } from './config.js';
import { sectorSize } from './layout.js';
import { isName } from './names.js';

/** A physical volume, as the group describes it. */
export interface GroupMember {
  /** Its name in this text: `pv0`. */
  readonly name: string;
  /** 32 characters, without dashes. */
  readonly uuid: string;
  /** Its device when the text was written: only a hint. */
  readonly device: string;
  readonly status: readonly string[];
  readonly flags: readonly string[];
  readonly tags: readonly string[];
  readonly sizeInBytes: number;
  readonly firstExtentInBytes: number;
  readonly extentCount: number;
}

/** The place of a segment's stripe: the name of a physical volume or another logical volume, and the extent in it. */
interface StripeArea {
  readonly name: string;
  readonly extent: number;
}

/** A piece of a logical volume. */
export interface Segment {
  /** `striped` (linear is one stripe), `mirror`, `raid1`, `thin`, … */
  readonly type: string;
  readonly firstExtent: number;
  readonly extentCount: number;
  /** Of a striped segment; else empty. */
  readonly stripes: readonly StripeArea[];
  /** 0 where there is one stripe. */
  readonly stripeSizeInBytes: number;
  /** All fields, for types that have more. */
  readonly fields: ConfigSection;
}

/** A logical volume, also a hidden one. */
export interface LogicalVolumeText {
  readonly name: string;
  readonly uuid: string;
  readonly status: readonly string[];
  readonly flags: readonly string[];
  readonly tags: readonly string[];
  /** `contiguous`, `normal`, …; undefined: the group's. */
  readonly allocationPolicy: string | undefined;
  /** Fixed device numbers; -1 where there are none. */
  readonly major: number;
  readonly minor: number;
  readonly segments: readonly Segment[];
  readonly extentCount: number;
}

/** A volume group. */
export interface VolumeGroupText {
  readonly name: string;
  readonly uuid: string;
  readonly seqno: number;
  readonly systemId: string;
  readonly status: readonly string[];
  readonly flags: readonly string[];
  readonly tags: readonly string[];
  readonly allocationPolicy: string;
  readonly lockType: string;
  readonly extentSizeInBytes: number;
  readonly maxLogicalVolumes: number;
  readonly maxPhysicalVolumes: number;
  readonly members: ReadonlyMap<string, GroupMember>;
  readonly volumes: ReadonlyMap<string, LogicalVolumeText>;
}

/**
 * Reads the fields of one section. CorruptError with the section's name for a missing field, and for one of the wrong
 * kind.
 */
class Reader {
  readonly #section: ConfigSection;
  readonly name: string;

  constructor(section: ConfigSection, name: string) {
    this.#section = section;
    this.name = name;
  }

  fail(problem: string, details: Record<string, number | string> = {}): CorruptError {
    return new CorruptError(`LVM metadata of ${this.name}`, problem, details);
  }

  get fields(): ConfigSection {
    return this.#section;
  }

  text(field: string, missing?: string): string {
    const value = this.#section.get(field) ?? missing;
    if (typeof value !== 'string') throw this.fail(`has no text '${field}'`);
    return value;
  }

  /** A whole number from 0 to `most`; 2^53 − 1 by default. */
  count(field: string, options: { missing?: number; least?: number; most?: number } = {}): number {
    const value = this.#section.get(field) ?? options.missing;
    const { least = 0, most = Number.MAX_SAFE_INTEGER } = options;
    if (typeof value !== 'number' || !Number.isSafeInteger(value))
      throw this.fail(`has no whole number '${field}'`);
    if (value < least || value > most)
      throw this.fail(`has a '${field}' out of range`, { value, least, most });
    return value;
  }

  /** Sectors, given in bytes. */
  sectors(field: string, missing?: number): number {
    const most = Math.floor(Number.MAX_SAFE_INTEGER / sectorSize);
    return this.count(field, missing === undefined ? { most } : { missing, most }) * sectorSize;
  }

  /** A list of strings; a single string counts as a list of one, and a missing field as an empty list. */
  list(field: string): string[] {
    const value = this.#section.get(field) ?? [];
    const items = typeof value === 'string' ? [value] : value;
    if (!Array.isArray(items) || !items.every((item) => typeof item === 'string'))
      throw this.fail(`has no list of texts '${field}'`);
    return items;
  }

  uuid(): string {
    const uuid = this.text('id').replaceAll('-', '');
    if (!/^[\x21-\x7e]{32}$/.test(uuid)) throw this.fail('has a bad identifier');
    return uuid;
  }

  /** The sections within a section that may be missing. */
  *children(field?: string): Generator<Reader> {
    const inside = field === undefined ? this.#section : this.#section.get(field);
    if (inside === undefined) return;
    if (!isSection(inside)) throw this.fail(`has no section '${field}'`);
    for (const [name, value] of inside) {
      if (isSection(value)) yield new Reader(value, field === undefined ? `${this.name}/${name}` : name);
    }
  }
}

function isSection(value: ConfigValue): value is ConfigSection {
  return value instanceof Map;
}

function readMember(reader: Reader): GroupMember {
  return {
    name: reader.name,
    uuid: reader.uuid(),
    device: reader.text('device', ''),
    status: reader.list('status'),
    flags: reader.list('flags'),
    tags: reader.list('tags'),
    sizeInBytes: reader.sectors('dev_size', 0),
    firstExtentInBytes: reader.sectors('pe_start'),
    extentCount: reader.count('pe_count'),
  };
}

/** `stripes = ["pv0", 0, "pv1", 17]`: pairs of a name and an extent. */
function readStripes(reader: Reader, count: number): StripeArea[] {
  const list = reader.fields.get('stripes');
  if (!Array.isArray(list) || list.length !== count * 2)
    throw reader.fail('has a bad list of stripes', { count });
  return Array.from({ length: count }, (_, index) => {
    const name: unknown = list[index * 2];
    const extent: unknown = list[index * 2 + 1];
    if (typeof name !== 'string' || typeof extent !== 'number' || !Number.isSafeInteger(extent) || extent < 0)
      throw reader.fail('has a bad stripe', { index });
    return { name, extent };
  });
}

function readSegment(reader: Reader): Segment {
  // After a '+' come flags of the type, which older versions must not ignore.
  const type = reader.text('type').split('+')[0] ?? '';
  const firstExtent = reader.count('start_extent');
  const extentCount = reader.count('extent_count', { least: 1 });
  if (type === 'snapshot') {
    reader.text('origin');
    reader.text(reader.fields.has('merging_store') ? 'merging_store' : 'cow_store');
  }
  const common = { type, firstExtent, extentCount, fields: reader.fields };
  if (type !== 'striped' && type !== 'linear') return { ...common, stripes: [], stripeSizeInBytes: 0 };
  // A stripe per physical volume; the limit is lvm2's.
  const count = reader.count('stripe_count', { least: 1, most: 128 });
  const stripeSizeInBytes = count === 1 ? 0 : reader.sectors('stripe_size');
  if (count > 1 && stripeSizeInBytes < sectorSize) throw reader.fail('has stripes of no size');
  if (extentCount % count !== 0)
    throw reader.fail('does not divide into its stripes', { extentCount, count });
  return { ...common, stripes: readStripes(reader, count), stripeSizeInBytes };
}

function readVolume(reader: Reader): LogicalVolumeText {
  if (!isName(reader.name)) throw reader.fail('has a bad name');
  const segments = [...reader.children()].map(readSegment).sort((a, b) => a.firstExtent - b.firstExtent);
  const declared = reader.count('segment_count');
  if (segments.length !== declared)
    throw reader.fail('has another number of segments than it says', { declared, found: segments.length });
  let extentCount = 0;
  for (const segment of segments) {
    if (segment.firstExtent !== extentCount)
      throw reader.fail('has segments with a gap or an overlap', {
        extent: segment.firstExtent,
        expected: extentCount,
      });
    extentCount += segment.extentCount;
  }
  return {
    name: reader.name,
    uuid: reader.uuid(),
    status: reader.list('status'),
    flags: reader.list('flags'),
    tags: reader.list('tags'),
    allocationPolicy: reader.fields.has('allocation_policy') ? reader.text('allocation_policy') : undefined,
    major: reader.count('major', { missing: -1, least: -1 }),
    minor: reader.count('minor', { missing: -1, least: -1 }),
    segments,
    extentCount,
  };
}

/** Sizes in bytes must stay exact, so no part of the group may exceed this. */
function checkSize(reader: Reader, extents: number, extentSizeInBytes: number, firstInBytes = 0): void {
  if (!Number.isSafeInteger(extents * extentSizeInBytes + firstInBytes))
    throw reader.fail('is larger than 2^53 bytes', { extents });
}

/** Every extent of a physical volume belongs to at most one segment, and lies on that volume. */
function checkStripes(reader: Reader, group: Pick<VolumeGroupText, 'members' | 'volumes'>): void {
  const taken = new Map<GroupMember, { first: number; end: number; volume: string }[]>();
  for (const volume of group.volumes.values()) {
    for (const { stripes, extentCount } of volume.segments) {
      for (const { name, extent } of stripes) {
        const member = group.members.get(name);
        const end = extent + extentCount / stripes.length;
        if (!member) {
          const below = group.volumes.get(name);
          if (!below) throw reader.fail(`has a stripe of ${volume.name} on ${name}, which is not there`);
          if (end > below.extentCount)
            throw reader.fail(`has a stripe of ${volume.name} past the end of ${name}`);
          continue;
        }
        if (end > member.extentCount)
          throw reader.fail(`has an extent of ${volume.name} past the end of ${name}`, {
            extent,
            end,
            count: member.extentCount,
          });
        const list = taken.get(member) ?? [];
        list.push({ first: extent, end, volume: volume.name });
        taken.set(member, list);
      }
    }
  }
  for (const [member, list] of taken) {
    list.sort((a, b) => a.first - b.first);
    for (const [index, piece] of list.entries()) {
      const before = list[index - 1];
      if (before && before.end > piece.first)
        throw reader.fail(`gives an extent of ${member.name} to ${before.volume} and to ${piece.volume}`, {
          extent: piece.first,
        });
    }
  }
}

/** Decodes a metadata text. CorruptError for anything invalid. */
export function decodeVolumeGroup(text: Uint8Array): VolumeGroupText {
  const root = parseConfig(text);
  if (root.get('contents') !== 'Text Format Volume Group' || root.get('version') !== 1)
    throw new CorruptError('LVM metadata text', 'does not say that it describes a volume group');
  const found = [...root].find(([, value]) => isSection(value));
  if (!found) throw new CorruptError('LVM metadata text', 'has no volume group');
  const [name, section] = found;
  const reader = new Reader(section as ConfigSection, name); // safe: found by isSection
  if (!isName(name)) throw reader.fail('has a bad name');

  const members = new Map<string, GroupMember>();
  for (const child of reader.children('physical_volumes')) members.set(child.name, readMember(child));
  const volumes = new Map<string, LogicalVolumeText>();
  for (const child of reader.children('logical_volumes')) volumes.set(child.name, readVolume(child));
  const extentSizeInBytes = reader.sectors('extent_size');
  if (extentSizeInBytes < sectorSize) throw reader.fail('has extents of no size');
  for (const { extentCount, firstExtentInBytes } of members.values())
    checkSize(reader, extentCount, extentSizeInBytes, firstExtentInBytes);
  for (const { extentCount } of volumes.values()) checkSize(reader, extentCount, extentSizeInBytes);
  checkStripes(reader, { members, volumes });
  return {
    name,
    uuid: reader.uuid(),
    seqno: reader.count('seqno'),
    systemId: reader.text('system_id', ''),
    status: reader.list('status'),
    flags: reader.list('flags'),
    tags: reader.list('tags'),
    allocationPolicy: reader.text('allocation_policy', 'normal'),
    lockType: reader.text('lock_type', ''),
    extentSizeInBytes,
    maxLogicalVolumes: reader.count('max_lv', { missing: 0 }),
    maxPhysicalVolumes: reader.count('max_pv', { missing: 0 }),
    members,
    volumes,
  };
}
