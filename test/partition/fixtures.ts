/** The fixtures of the partition room: real tables, and what sfdisk and the real libguestfs say of them. */
import { type Disk, MappedDisk, MemoryDisk } from '../../src/disk/index.js';
import { readFixtureBuffer, readFixtureJson } from '../support/fixtures.js';

/** One device of a partition, as the real libguestfs shows it. */
export interface DeviceFacts {
  readonly number: number;
  readonly size: number;
  /** The rest is told only of some images. */
  readonly blkid?: Readonly<Record<string, string>>;
  readonly bootable?: boolean | null;
  readonly kind?: string | null;
  readonly type?: string;
  readonly guid?: string;
  readonly name?: string;
  readonly attributes?: string;
  readonly id?: number | null;
}

export interface SfdiskPartition {
  readonly node: string;
  readonly start: number;
  readonly size: number;
  readonly type: string;
  readonly uuid?: string;
  readonly name?: string;
  readonly bootable?: boolean;
}

export interface ImageFacts {
  readonly size: number;
  readonly sectorSize: number;
  /** How much of the stored piece is the start of the image; the rest is its end. */
  readonly head: number;
  readonly partType: string | null;
  readonly partList:
    | readonly { part_num: number; part_start: number; part_end: number; part_size: number }[]
    | null;
  readonly blkid: Readonly<Record<string, string>>;
  readonly diskGuid?: string;
  readonly devices: readonly DeviceFacts[];
  readonly sfdisk?: {
    readonly label: string;
    readonly id: string;
    readonly partitions?: readonly SfdiskPartition[];
  } | null;
}

export const facts: Readonly<Record<string, ImageFacts>> = readFixtureJson('partition/facts.json');

/** The bytes that are stored of an image: all of it, or its start and its end. */
export function readImage(name: string): Buffer {
  return readFixtureBuffer(`partition/${name}.img.gz`);
}

/** An image as a disk of its full size. */
export function openImage(name: string, bytes: Uint8Array = readImage(name)): Disk {
  const { size, head } = factsOf(name);
  const stored = new MemoryDisk(bytes);
  const tail = size - (bytes.length - head);
  return new MappedDisk(
    size,
    (offset) =>
      offset < head
        ? { kind: 'data', length: head - offset, disk: stored, offset }
        : offset < tail
          ? { kind: 'hole', length: tail - offset }
          : { kind: 'data', length: size - offset, disk: stored, offset: offset - tail + head },
    { name },
  );
}

export function factsOf(name: string): ImageFacts {
  const found = facts[name];
  if (!found) throw new Error(`no facts of ${name}`);
  return found;
}
