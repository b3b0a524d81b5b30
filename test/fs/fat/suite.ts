/** FAT12, FAT16 and FAT32 for the conformance suite: volumes of mkfs.vfat and mtools that the kernel told of. */
import { fat } from '../../../src/fs/fat/index.js';
import type { Range } from '../../support/damage.js';
import type { FileSystemSuite } from '../conformance.js';
import { VolumeFolder } from '../volumes.js';

export const fatVolumes = new VolumeFolder('fat', 'img', {
  label: (told) => told.replace(/\\(.)/g, '$1'),
  trimmed: true,
});

/** Where the structures of a volume lie, in bytes. */
export function placesOf(volume: Uint8Array) {
  const image = Buffer.from(volume.buffer, volume.byteOffset, volume.byteLength);
  const sectorSize = image.readUInt16LE(11);
  const wide = image.readUInt16LE(22) === 0;
  const table = image.readUInt16LE(14) * sectorSize;
  const tableSize = (wide ? image.readUInt32LE(36) : image.readUInt16LE(22)) * sectorSize;
  const root = table + image.readUInt8(16) * tableSize;
  return { table, tableSize, root, wide };
}

export const suite: FileSystemSuite = {
  driver: fat,
  volumes: fatVolumes.volumes(),
  // Linux numbers FAT's inodes as it meets them.
  comparison: { without: ['ino'] },
  damage: {
    volumes: ['fat12', 'fat16', 'fat32', 'odd16'],
    places(volume): Range[] {
      const { table, root } = placesOf(volume);
      return [
        [0, 90],
        [table, table + 512],
        [root, root + 16_384],
        [root, root + 200_000],
      ];
    },
    borders(volume) {
      const { table, tableSize, root } = placesOf(volume);
      return [table, table + 3, root - tableSize, root, root + 31, root + 32, root + 5000];
    },
    milliseconds: 1400,
  },
};
