/** exFAT for the conformance suite: volumes of mkfs.exfat that the kernel filled and walked. */
import { exfat } from '../../../src/fs/exfat/index.js';
import type { FileSystemSuite } from '../conformance.js';
import { decodeExport } from '../support/blkid.js';
import { VolumeFolder } from '../volumes.js';

export const exfatVolumes = new VolumeFolder('exfat', 'img', { label: decodeExport, trimmed: true });

export const suite: FileSystemSuite = {
  driver: exfat,
  volumes: exfatVolumes.volumes(),
  comparison: {
    // The kernel makes numbers up, and gives the root the time of the mount.
    without: ['ino'],
    except: ({ path }, field) => path === '/' && /time$/.test(field),
  },
  damage: {
    volumes: ['clusters-512', 'sectors-4096'],
    borders: () => [512, 6144, 12_288, 65_536, 131_072],
    milliseconds: 1200,
  },
};
