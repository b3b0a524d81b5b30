/** The bytes of a logical volume: its segments, laid over the physical volumes. */
import { CorruptError, GuestfsError, UnsupportedError } from '../../base/index.js';
import { type Disk, MappedDisk, type Mapping } from '../../disk/index.js';
import type { GroupMember, LogicalVolumeText, Segment, VolumeGroupText } from './metadata.js';
import { dashed } from './probe.js';

/** lvm2 stacks volumes two or three deep. */
export const deepestStack = 8;

/** What is needed of a group to read its volumes. */
interface GroupDisks {
  readonly text: VolumeGroupText;
  /** The disk of a physical volume; undefined if it is missing. */
  diskOf(member: GroupMember): Disk | undefined;
}

/** Where a stripe begins. */
interface Column {
  readonly disk: Disk;
  readonly offset: number;
}

/** A segment in bytes. */
interface Piece {
  readonly start: number;
  readonly end: number;
  /** One for a linear segment; none for a zero segment. */
  readonly columns: readonly Column[];
  readonly stripeSize: number;
}

/** lvm2's name for the type of the first segment that cannot be read, if there is one. */
function unsupportedType(text: LogicalVolumeText): string | undefined {
  return text.segments.find(({ type }) => type !== 'striped' && type !== 'linear' && type !== 'zero')?.type;
}

/** The state of opening a volume: the group, and the volumes below that are already open, by name. */
interface Opening {
  readonly group: GroupDisks;
  readonly opened: Map<string, Disk>;
}

function openColumn(opening: Opening, what: string, segment: Segment, index: number, depth: number): Column {
  const { group } = opening;
  const { members, volumes, extentSizeInBytes } = group.text;
  const area = segment.stripes[index];
  const length = (segment.extentCount / segment.stripes.length) * extentSizeInBytes;
  const member = area && members.get(area.name);
  if (area && member) {
    const disk = group.diskOf(member);
    if (!disk)
      throw new GuestfsError(
        'ENODEV',
        `${what}: the physical volume ${area.name} (UUID ${dashed(member.uuid)}${member.device && `, last seen as ${member.device}`}) is missing`,
      );
    const offset = member.firstExtentInBytes + area.extent * extentSizeInBytes;
    if (offset + length > disk.size)
      throw new CorruptError(what, `reaches past the end of ${area.name}`, {
        offset,
        length,
        diskSize: disk.size,
      });
    return { disk, offset };
  }
  const below = area && volumes.get(area.name);
  if (!area || !below) throw new CorruptError(what, 'has a stripe on nothing', { stripe: index });
  // The metadata was checked, so the extents are inside the volume below.
  const disk = opening.opened.get(below.name) ?? openStack(opening, below, depth + 1);
  opening.opened.set(below.name, disk);
  return { disk, offset: area.extent * extentSizeInBytes };
}

function openPiece(opening: Opening, what: string, segment: Segment, depth: number): Piece {
  const size = opening.group.text.extentSizeInBytes;
  const start = segment.firstExtent * size;
  const columns = segment.stripes.map((_, index) => openColumn(opening, what, segment, index, depth));
  const stripeSize = segment.stripeSizeInBytes;
  const columnSize = (segment.extentCount * size) / Math.max(columns.length, 1);
  if (columns.length > 1 && columnSize % stripeSize !== 0)
    throw new CorruptError(what, 'does not divide into its stripes', { columnSize, stripeSize });
  return { start, end: start + segment.extentCount * size, columns, stripeSize };
}

function openStack(opening: Opening, text: LogicalVolumeText, depth: number): Disk {
  const { group } = opening;
  const what = `LVM volume ${group.text.name}/${text.name}`;
  const unsupported = unsupportedType(text);
  if (unsupported !== undefined) throw new UnsupportedError(what, [`segment type ${unsupported}`]);
  if (depth > deepestStack) throw new CorruptError(what, `is stacked deeper than ${deepestStack} volumes`);
  const pieces = text.segments.map((segment) => openPiece(opening, what, segment, depth));
  const below = pieces.flatMap(({ columns }) => columns.map(({ disk }) => disk));
  const mayWrite = text.status.includes('WRITE') && group.text.status.includes('WRITE');
  let recent = 0;
  return new MappedDisk(
    text.extentCount * group.text.extentSizeInBytes,
    (offset) => {
      recent = findPiece(pieces, offset, recent);
      const piece = pieces[recent] as Piece; // safe: found in pieces, which cover the volume without a gap
      return mapPiece(piece, offset);
    },
    {
      name: what,
      writable: mayWrite && below.every(({ writable }) => writable),
      sectorSize: below.reduce((most, disk) => Math.max(most, disk.sectorSize), 512),
    },
  );
}

/** The piece that holds `offset`; `recent` is tried first. */
function findPiece(pieces: readonly Piece[], offset: number, recent: number): number {
  const last = pieces[recent];
  if (last && offset >= last.start && offset < last.end) return recent;
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offset < (pieces[middle]?.end ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function mapPiece({ start, end, columns, stripeSize }: Piece, offset: number): Mapping {
  const within = offset - start;
  const [only] = columns;
  if (!only) return { kind: 'hole', length: end - offset };
  if (columns.length === 1)
    return { kind: 'data', length: end - offset, disk: only.disk, offset: only.offset + within };
  const stripe = Math.floor(within / stripeSize);
  const column = columns[stripe % columns.length] as Column; // safe: a remainder of the length
  const inStripe = within % stripeSize;
  return {
    kind: 'data',
    length: stripeSize - inStripe,
    disk: column.disk,
    offset: column.offset + Math.floor(stripe / columns.length) * stripeSize + inStripe,
  };
}

/**
 * Opens a volume. UnsupportedError with the name of a segment type that is not implemented, ENODEV with the name of a
 * missing physical volume, CorruptError for a physical volume that is smaller than in the metadata. Closing the
 * volume leaves the disks below open.
 */
export function openVolume(
  group: GroupDisks,
  text: LogicalVolumeText,
  snapshot: { readonly origin: string | undefined; readonly merging: boolean },
): Disk {
  // An origin consists of its segments. A snapshot does not, and neither does an origin into which a snapshot is
  // being merged.
  if (snapshot.origin !== undefined || snapshot.merging)
    throw new UnsupportedError(`LVM volume ${group.text.name}/${text.name}`, [
      snapshot.merging ? 'segment type snapshot-merge' : 'segment type snapshot',
    ]);
  return openStack({ group, opened: new Map() }, text, 0);
}
