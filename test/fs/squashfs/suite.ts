/** squashfs for the conformance suite: images of mksquashfs, by each compressor, whose files unsquashfs took out. */
import { squashfs } from '../../../src/fs/squashfs/index.js';
import type { FileSystemSuite } from '../conformance.js';
import { VolumeFolder } from '../volumes.js';

export const squashImages = new VolumeFolder('squashfs', 'img');

export const suite: FileSystemSuite = {
  driver: squashfs,
  volumes: squashImages.volumes(() => ({ compressed: true })),
  // What is the host's own, once files are taken out.
  comparison: {
    without: ['ino', 'blocks', 'atime', 'ctime'],
    except: (told, field) => field === 'nlink' && told.nlink === undefined,
  },
  damage: {
    volumes: ['gzip', 'plain', 'bare', 'appended'],
    borders: () => [96, 4096],
    milliseconds: 1200,
  },
};
