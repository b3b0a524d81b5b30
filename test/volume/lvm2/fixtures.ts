/** Physical volumes made by the real lvm2, and what the real libguestfs says of them. */
import { crc32Raw } from '../../../src/base/index.js';
import { MemoryDisk } from '../../../src/disk/index.js';
import type { Member } from '../../../src/volume/index.js';
import { assemble, type LvmState } from '../../../src/volume/lvm2/index.js';
import { readFixtureBuffer, readFixtureJson } from '../../support/fixtures.js';

type Row = Readonly<Record<string, string | number>>;

/** The answers of one launch with these drives, as /dev/sda, /dev/sdb, … */
export interface LaunchFacts {
  readonly drives: readonly string[];
  readonly lvs: readonly string[];
  readonly vgs: readonly string[];
  readonly pvs: readonly string[];
  readonly pvuuids: Readonly<Record<string, string>>;
  readonly lvsFull: readonly Row[];
  readonly vgsFull: readonly Row[];
  readonly pvsFull: readonly Row[];
  /** null: the name is not unique. */
  readonly groups: Readonly<
    Record<string, { uuid: string; pvs: readonly string[]; lvs: readonly string[] } | null>
  >;
  /** A size of null: it has no device. */
  readonly volumes: Readonly<
    Record<string, { uuid: string | null; size: number | null; sha256?: string } | undefined>
  >;
  /** Device-mapper names, and lvm_canonical_lv_name of each, null where that fails. */
  readonly mapped: Readonly<Record<string, string | null>>;
  /** `vg:lv:attr:roles:size:minor:segments:modules:origin:pool`, also of hidden volumes. */
  readonly report: string;
}

export const facts: Readonly<Record<'whole' | 'damaged' | 'twins' | 'twinsReversed', LaunchFacts>> =
  readFixtureJson('lvm/facts.json');

const images = new Map<string, Buffer>();

/** A copy of an image. */
export function readImage(name: string): Buffer {
  let image = images.get(name);
  if (!image) {
    image = readFixtureBuffer(`lvm/${name}.img.gz`);
    images.set(name, image);
  }
  return Buffer.from(image);
}

/** Images as members /dev/sda, /dev/sdb, … */
export function membersOf(drives: readonly string[], options: { writable?: boolean } = {}): Member[] {
  return drives.map((name, index) => ({
    device: `/dev/sd${String.fromCharCode(97 + index)}`,
    disk: new MemoryDisk(readImage(name), options),
  }));
}

export function stateOf(drives: readonly string[]): LvmState {
  return assemble(membersOf(drives));
}

const initialCrc = 0xf597a6cf;

/** Where the first metadata area's header is in the fixtures with one mda. */
const mdaStart = 4096;

/**
 * Puts another metadata text into an image with one metadata area at 4096, with right checksums, so that what is behind
 * the checksums can be tried.
 */
export function withText(image: Buffer, change: (text: string) => string): Buffer {
  const header = image.subarray(mdaStart, mdaStart + 512);
  const offset = Number(header.readBigUInt64LE(40));
  const size = Number(header.readBigUInt64LE(48));
  const text = image.subarray(mdaStart + offset, mdaStart + offset + size).toString('latin1');
  const changed = Buffer.from(change(text), 'latin1');
  changed.copy(image, mdaStart + offset);
  header.writeBigUInt64LE(BigInt(changed.length), 48);
  header.writeUInt32LE(crc32Raw(initialCrc, changed), 56);
  sealHeader(image, mdaStart);
  return image;
}

/** Makes the checksum of a metadata area's header right. */
export function sealHeader(image: Buffer, start = mdaStart): void {
  image.writeUInt32LE(crc32Raw(initialCrc, image.subarray(start + 4, start + 512)), start);
}

/** Makes the checksum of the label in sector 1 right. */
export function sealLabel(image: Buffer): void {
  image.writeUInt32LE(crc32Raw(initialCrc, image.subarray(512 + 20, 1024)), 512 + 16);
}
