/** ext2, ext3 and ext4 for the conformance suite: volumes that the kernel told of, or debugfs where it refuses them. */
import { ext, extDetails } from '../../../src/fs/ext/index.js';
import { directoryType, typeOf } from '../../support/truth.js';
import type { FileSystemSuite } from '../conformance.js';
import { VolumeFolder } from '../volumes.js';

export const extVolumes = new VolumeFolder('ext', 'img');

/**
 * In a replay of fast commits the kernel dates what it changes by its clock, leaves the link counts of directories as
 * they were, and counts no block for a directory that it makes, as e2fsck then finds.
 */
const replayed = {
  without: ['atime', 'mtime', 'ctime'],
  except: (told, field) =>
    typeOf(told) === directoryType && (field === 'nlink' || (field === 'blocks' && told.blocks === 0)),
} as const satisfies FileSystemSuite['comparison'];

export const suite: FileSystemSuite = {
  driver: ext,
  volumes: extVolumes.volumes((name) => (name.startsWith('fast-commit') ? { comparison: replayed } : {})),
  options: { ro: true },
  damage: {
    // Without checksums, so that damage gets further, and one with.
    volumes: [
      'ext2-1k',
      'ext4-inline-512',
      'ext4-hash-tea-unsigned',
      'journal-32bit',
      'journal-checksum-3',
      'fast-commit-4k',
    ],
    milliseconds: 2500,
    // What a mount refuses for its journal can still be looked at without.
    secondTry: { ro: true, norecovery: true },
    more(fs) {
      extDetails(fs)?.superblockFacts();
    },
  },
};
