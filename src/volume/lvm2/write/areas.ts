/**
 * Writes a group's text to the metadata areas of its physical volumes. A new text goes behind the old one, in the ring
 * of each area; only when all are on their disks do the headers lead to it, and a header is one sector. So each crash
 * leaves the old group or the new one, whose text has the higher sequence number.
 */
import { CorruptError, crc32Raw, GuestfsError, UnsupportedError } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import type { Area } from '../label.js';
import {
  initialCrc,
  mdaCrcStart,
  mdaHeader,
  mdaHeaderSize,
  rawLocn,
  rawLocnOffset,
  sectorSize,
} from '../layout.js';
import { readMetadataArea } from '../metadata-area.js';

/** An area of a disk that a group's text is written to. */
interface TextArea {
  readonly disk: Disk;
  readonly area: Area;
}

/** A physical volume, for those who write to it. */
interface Written {
  readonly device: string;
  readonly disk: Disk;
  readonly label: { readonly metadataAreas: readonly Area[]; readonly dataAreas: readonly Area[] };
}

/**
 * The areas of physical volumes, without those that are to be ignored. CorruptError for one that cannot be read: what
 * lies there cannot be replaced in good order; and for one that says it is longer than its label does, or than what is
 * free before the data.
 */
export function textAreas(volumes: Iterable<Written>): TextArea[] {
  return [...volumes].flatMap(({ disk, label }) =>
    label.metadataAreas
      .filter((area) => !readMetadataArea(disk, area).ignored)
      .map((area) => {
        checkLength({ disk, area }, label.dataAreas);
        return { disk, area };
      }),
  );
}

function checkLength(text: TextArea, dataAreas: readonly Area[]): void {
  const { offset, size: most } = text.area;
  // safe: readMetadataArea has compared it with the size of the disk
  const size = Number(mdaHeader.decode(readHeader(text)).size);
  const structure = `LVM metadata area at ${offset}`;
  if (size > most) throw new CorruptError(structure, 'is longer than its label says', { size, most });
  // Of a second area, behind the data, the label does not say where the data ends.
  for (const data of dataAreas)
    if (data.offset >= offset && data.offset < offset + size)
      throw new CorruptError(structure, 'reaches into the data', { size, data: data.offset });
}

function readHeader({ disk, area }: TextArea): Uint8Array {
  const header = new Uint8Array(mdaHeaderSize);
  disk.read(header, area.offset);
  return header;
}

/** Where the text of an area is: its offset in the area, and its length. Undefined where there is none. */
function textPlace(header: Uint8Array): { offset: number; size: number } | undefined {
  const { offset, size } = rawLocn.decode(header, rawLocnOffset);
  // safe: readMetadataArea has compared both with the size of the area
  return offset === 0n ? undefined : { offset: Number(offset), size: Number(size) };
}

/** Makes a header lead to a text, or to none. */
function writeHeader(
  { disk, area }: TextArea,
  header: Uint8Array,
  text: Uint8Array | undefined,
  offset: number,
): void {
  const flags = rawLocn.decode(header, rawLocnOffset).flags;
  header.fill(0, rawLocnOffset);
  rawLocn.encode(
    text === undefined
      ? { flags }
      : { offset: BigInt(offset), size: BigInt(text.length), checksum: crc32Raw(initialCrc, text), flags },
    header,
    rawLocnOffset,
  );
  mdaHeader.encode({ checksum_xl: crc32Raw(initialCrc, header.subarray(mdaCrcStart)) }, header);
  disk.write(header, area.offset);
}

/** Rounded up to whole sectors. */
const inSectors = (length: number): number => Math.ceil(length / sectorSize) * sectorSize;

/** A text that lies in an area, to which the header does not lead yet. */
interface Laid {
  readonly area: TextArea;
  readonly header: Uint8Array;
  readonly offset: number;
}

/** Where the next text of an area goes. ENOSPC if both do not fit. */
function nextPlace(header: Uint8Array, length: number): number {
  // safe: readMetadataArea has compared it with the size of the disk
  const size = Number(mdaHeader.decode(header).size);
  // As in lvm2, so that the old text and the new one always fit.
  if (length > (size - mdaHeaderSize) / 2)
    throw new GuestfsError(
      'ENOSPC',
      `the metadata area of ${size} bytes has no room for a text of ${length} bytes`,
    );
  const old = textPlace(header);
  if (old === undefined) return mdaHeaderSize;
  const ring = size - mdaHeaderSize;
  const end = inSectors(old.offset + old.size);
  // The new text begins with a sector, and must not come round to the old one.
  if (end - old.offset + length > ring)
    throw new GuestfsError(
      'ENOSPC',
      `the metadata area of ${size} bytes has no room for texts of ${old.size} and ${length} bytes`,
    );
  return mdaHeaderSize + ((end - mdaHeaderSize) % ring);
}

function layText(area: TextArea, header: Uint8Array, text: Uint8Array): Laid {
  const offset = nextPlace(header, text.length);
  const size = Number(mdaHeader.decode(header).size);
  const straight = Math.min(text.length, size - offset);
  area.disk.write(text.subarray(0, straight), area.area.offset + offset);
  if (straight < text.length) area.disk.write(text.subarray(straight), area.area.offset + mdaHeaderSize);
  return { area, header, offset };
}

function flush(areas: readonly TextArea[]): void {
  for (const disk of new Set(areas.map(({ disk: each }) => each))) disk.flush();
}

/** Throws what would stop the writing of a text, before anything is written: ENOSPC, EROFS. */
export function checkRoom(areas: readonly TextArea[], text: Uint8Array): void {
  if (areas.length === 0)
    throw new GuestfsError('ENOSPC', 'no physical volume of the group has a metadata area in use');
  for (const area of areas) {
    const header = readHeader(area);
    area.disk.checkWritable(area.area.offset, Number(mdaHeader.decode(header).size));
    nextPlace(header, text.length);
  }
}

/**
 * Replaces the text of a group. `between`: what else has to change with it, once the new text lies everywhere and
 * nothing leads to it yet.
 */
export function writeText(
  areas: readonly TextArea[],
  text: Uint8Array,
  between: () => void = () => {},
): void {
  const laid = areas.map((area) => layText(area, readHeader(area), text));
  flush(areas);
  between();
  for (const { area, header, offset } of laid) writeHeader(area, header, text, offset);
  flush(areas);
}

/**
 * Replaces the text of a group by that of one with another identifier. Two groups that claim the same members would be
 * none, so the text is only ever on one area while it changes.
 */
export function replaceText(areas: readonly TextArea[], text: Uint8Array): void {
  const [first, ...others] = areas;
  if (first === undefined) return;
  const laid = areas.map((area) => layText(area, readHeader(area), text));
  flush(areas);
  eraseText(others);
  for (const { area, header, offset } of laid) {
    writeHeader(area, header, text, offset);
    area.disk.flush();
  }
}

/** What the physical volumes are aligned to, as by lvm2: whole pages, and sectors of every disk. */
const areaAlignment = 4096;

/** A range of a metadata area, from its start. */
interface Range {
  readonly start: number;
  readonly end: number;
}

const lengthOf = ({ start, end }: Range): number => Math.max(0, end - start);
const longer = (one: Range, other: Range): Range => (lengthOf(other) > lengthOf(one) ? other : one);

/** Room for a text in an area beside its old one: an area of its own in it, and room for one copy beside that. */
function spareIn({ area }: TextArea, header: Uint8Array, length: number): { spare: Range; rest: Range } {
  const size = Number(mdaHeader.decode(header).size); // safe: as in nextPlace
  const old = textPlace(header) ?? { offset: size, size: 0 };
  const end = old.offset + old.size;
  const ring = size - mdaHeaderSize;
  const free =
    end > size
      ? { start: end - ring, end: old.offset }
      : longer({ start: mdaHeaderSize, end: old.offset }, { start: end, end: size });
  const start = Math.ceil((area.offset + free.start) / areaAlignment) * areaAlignment - area.offset;
  // Whoever finds it after a crash can go on with it: there is room for two texts.
  const spare = { start, end: start + mdaHeaderSize + 2 * (inSectors(length) + sectorSize) };
  const rest = longer({ start: mdaHeaderSize, end: spare.start }, { start: spare.end, end: size });
  if (spare.end > free.end || lengthOf(rest) < length)
    throw new GuestfsError(
      'ENOSPC',
      `the metadata area of ${size} bytes has no room for a second one with a text of ${length} bytes`,
    );
  return { spare, rest };
}

/**
 * Plans the change of a label together with the text that names its identifier: both change with one sector, the label,
 * as for a moment it leads to another area, in the free part of the old one. The function that is returned writes it;
 * `changeLabel` makes the label lead from one area to another. What lies in other areas is older until all is done.
 */
export function planLabelAndText(
  areas: readonly TextArea[],
  labelled: Disk,
  text: Uint8Array,
  changeLabel: (moved: { readonly from: Area; readonly to: Area }) => void,
): () => void {
  checkRoom(areas, text);
  const own = areas.find(({ disk }) => disk === labelled);
  if (own === undefined)
    throw new UnsupportedError(
      'LVM physical volume',
      ['a new UUID of a member of a group without metadata of its own'],
      { elsewhere: 'appliance' },
    );
  const { disk, area } = own;
  const header = readHeader(own);
  const { spare, rest } = spareIn(own, header, text.length);
  return () => {
    const small: TextArea = { disk, area: { offset: area.offset + spare.start, size: lengthOf(spare) } };
    const fields = { start: BigInt(small.area.offset), size: BigInt(small.area.size) };
    disk.write(text, small.area.offset + mdaHeaderSize);
    writeHeader(small, mdaHeader.encode(fields, header.slice()), text, mdaHeaderSize);
    disk.flush();
    changeLabel({ from: area, to: small.area });
    disk.flush();
    disk.write(text, area.offset + rest.start);
    writeHeader(own, header, text, rest.start);
    disk.flush();
    changeLabel({ from: small.area, to: area });
    disk.flush();
    writeText(
      areas.filter((each) => each !== own),
      text,
    );
  };
}

/** Makes the areas lead to no text: what they are part of is no group any more once the last one is done. */
export function eraseText(areas: readonly TextArea[]): void {
  for (const area of areas) writeHeader(area, readHeader(area), undefined, 0);
  flush(areas);
}
