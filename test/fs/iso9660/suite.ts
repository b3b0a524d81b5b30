/** ISO 9660 for the conformance suite: images of genisoimage and xorriso that the kernel told of. */
import { iso9660 } from '../../../src/fs/iso9660/index.js';
import type { Range } from '../../support/damage.js';
import type { FileSystemSuite } from '../conformance.js';
import { decodeExport } from '../support/blkid.js';
import { VolumeFolder } from '../volumes.js';

export const isoImages = new VolumeFolder('iso', 'iso', {
  label: (told) => decodeExport(Buffer.from(told).toString('latin1')),
  trimmed: true,
});

export const primaryAt = 16 * 2048;

/** Where the root directory lies, in bytes. */
export function rootOf(image: Uint8Array): number {
  return new DataView(image.buffer, image.byteOffset).getUint32(primaryAt + 158, true) * 2048;
}

/** Images in which a deep directory, or all, name a directory as their parent that does not hold them. */
const withWrongParents = ['level1', 'level3', 'libisofs-joliet', 'odd-level1', 'relaxed'];

export const suite: FileSystemSuite = {
  driver: iso9660,
  volumes: isoImages.volumes((name) => ({
    compressed: name === 'zisofs',
    hasWrongParents: withWrongParents.includes(name),
  })),
  comparison: {
    // Linux gives a relocated directory one number by its place and another by its contents.
    except: ({ path }, field) => field === 'ino' && /^\/deep(\/\d+){7}$/.test(path),
  },
  damage: {
    volumes: ['rock', 'joliet', 'zisofs', 'odd-rock'],
    places(image): Range[] {
      const root = rootOf(image);
      return [
        [primaryAt, primaryAt + 200],
        [primaryAt + 2048, primaryAt + 2048 + 200],
        [root, root + 4096],
        [root, root + 80_000],
      ];
    },
    borders(image) {
      const root = rootOf(image);
      const heads = [primaryAt, primaryAt + 6, primaryAt + 2048];
      return [...heads, root, root + 34, root + 100, root + 2048, root + 4096, image.length - 100_000];
    },
    milliseconds: 2000,
  },
};
