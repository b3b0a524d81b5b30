/** Disks made of compressed units, for the decoder's tests. */

import { deflateRawSync, deflateSync } from 'node:zlib';
import { type Codec, MappedDisk, type Mapping, MemoryDisk } from '../../src/disk/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';
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

/** A disk of `count` compressed units in a row, and the bytes that it holds. */
export function packedDisk(
  codec: Codec,
  count: number,
): { disk: MappedDisk; plain: Uint8Array; stored: Uint8Array } {
  const plain: Uint8Array[] = [];
  const packed: Uint8Array[] = [];
  const offsets: number[] = [];
  const zstd = codec === 'zstd' ? zstdUnit() : undefined;
  let end = 0;
  for (let i = 0; i < count; i++) {
    const unit = zstd ? zstd.plain : plainUnit(i);
    const bytes = zstd ? zstd.packed : codec === 'zlib' ? deflateSync(unit) : deflateRawSync(unit);
    // As in a qcow2 cluster: whatever lies behind a unit in its last sector is no part of it.
    const rest = noise(i % 7 === 0 ? 0 : 300, i);
    plain.push(unit);
    packed.push(bytes, rest);
    offsets.push(end);
    end += bytes.length + rest.length;
  }
  offsets.push(end);
  const stored = Buffer.concat(packed);
  const file = new MemoryDisk(stored);
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
  const disk = new MappedDisk(count * unitSize, lookup, { name: 'packed' });
  return { disk, plain: Buffer.concat(plain), stored };
}
