/** cramfs for the conformance suite: images of mkfs.cramfs, whose files fsck.cramfs took out. */
import { cramfs } from '../../../src/fs/cramfs/index.js';
import type { FileSystemSuite } from '../conformance.js';
import { VolumeFolder } from '../volumes.js';

export const cramImages = new VolumeFolder('cramfs', 'img');

/** The superblock lies behind a boot sector, where blkid does not look. */
export const paddedImage = 'padded';

/** What fsck.cramfs does not show: the rest is the host's. */
export const comparison: NonNullable<FileSystemSuite['comparison']> = {
  without: ['nlink', 'ino', 'blocks', 'atime', 'ctime'],
  except: (told, field) => told[field] === undefined && (field === 'size' || field === 'mtime'),
};

export const suite: FileSystemSuite = {
  driver: cramfs,
  volumes: cramImages.volumes(() => ({ compressed: true })).filter(({ name }) => name !== paddedImage),
  comparison,
  damage: {
    volumes: ['plain', 'big', 'holes', 'extended-big'],
    borders: () => [64, 76, 88, 4096],
    milliseconds: 1200,
  },
};
