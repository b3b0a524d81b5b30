/** Disks made of compressed units, for the decoder's tests. */

import { deflateRawSync, deflateSync } from 'node:zlib';
import { type Codec, type Disk, MappedDisk, type Mapping, MemoryDisk } from '../../src/disk/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import '../support/platform.js';
import { noise } from '../support/random.js';

export const unitSize = 65536;

const plainUnits: Uint8Array[] = [];

/** Half noise, half nothing; every unit its own. */
function plainUnit(index: number): Uint8Array {
  const known = plainUnits[index];
  if (known) return known;
  const bytes = new Uint8Array(unitSize);
  plainUnits[index] = bytes;
  bytes.set(noise(unitSize / 8, index + 1));
  bytes.fill(index, unitSize / 2);
  return bytes;
}

/**
 * One zstd frame of 64 KiB, which Node 20 cannot make: the first compressed cluster of a fixture that qemu-img wrote. It
 * lies right behind the image's tables and begins with text.
 */
function zstdUnit(): { packed: Uint8Array; plain: Uint8Array } {
  const image = readFixtureBuffer('qcow2/zstd.qcow2.gz');
  const at = image.indexOf(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd));
  const lines = Array.from({ length: 52_000 }, (_, i) => i + 1).join('\n');
  return { packed: image.subarray(at, at + unitSize), plain: Buffer.from(lines.slice(0, unitSize)) };
}

interface PackedDisk {
  readonly disk: MappedDisk;
  readonly plain: Uint8Array;
  readonly stored: Uint8Array;
}

/** A disk of `count` compressed units in a row, and the bytes that it holds. */
export function packedDisk(codec: Codec, count: number): PackedDisk {
  const units = Array.from({ length: count }, (_, i) => (codec === 'zstd' ? zstdUnit().plain : plainUnit(i)));
  return pack(codec, units, (stored) => new MemoryDisk(stored));
}

/** A disk whose compressed units lie on a disk that is itself made of such. */
export function nestedDisk(codec: Codec, count: number): PackedDisk {
  const units = Array.from({ length: count }, (_, i) => plainUnit(i));
  return pack(codec, units, (stored) => {
    const below: Uint8Array[] = [];
    for (let at = 0; at < stored.length; at += unitSize) {
      const unit = new Uint8Array(unitSize);
      unit.set(stored.subarray(at, at + unitSize));
      below.push(unit);
    }
    return pack(codec, below, (bytes) => new MemoryDisk(bytes)).disk;
  });
}

function pack(codec: Codec, units: readonly Uint8Array[], keep: (stored: Uint8Array) => Disk): PackedDisk {
  const packed: Uint8Array[] = [];
  const offsets: number[] = [];
  const zstd = codec === 'zstd' ? zstdUnit() : undefined;
  let end = 0;
  for (const [i, unit] of units.entries()) {
    const bytes = zstd ? zstd.packed : codec === 'zlib' ? deflateSync(unit) : deflateRawSync(unit);
    // As in a qcow2 cluster: whatever lies behind a unit in its last sector is no part of it.
    const rest = noise(i % 7 === 0 ? 0 : 300, i);
    packed.push(bytes, rest);
    offsets.push(end);
    end += bytes.length + rest.length;
  }
  offsets.push(end);
  const stored = Buffer.concat(packed);
  const file = keep(stored);
  const lookup = (offset: number): Mapping => {
    const index = Math.floor(offset / unitSize);
    const at = offsets[index] ?? 0;
    const unit = {
      key: `${index}`,
      codec,
      disk: file,
      offset: at,
      size: (offsets[index + 1] ?? 0) - at,
      decodedSize: unitSize,
    };
    return { kind: 'encoded', length: unitSize - (offset % unitSize), unit, skip: offset % unitSize };
  };
  const disk = new MappedDisk(units.length * unitSize, lookup, { name: 'packed' });
  return { disk, plain: Buffer.concat(units), stored };
}
