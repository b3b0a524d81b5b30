/** btrfs for the conformance suite: volumes that the kernel told of. */
import { btrfs } from '../../../src/fs/btrfs/index.js';
import type { FileSystemSuite } from '../conformance.js';
import { VolumeFolder } from '../volumes.js';

export const btrfsVolumes = new VolumeFolder('btrfs', 'img');

export const suite: FileSystemSuite = {
  driver: btrfs,
  // Of a log, the kernel allocates as it replays: its counts are others.
  volumes: btrfsVolumes.volumes().filter(({ name }) => !name.startsWith('logged')),
  options: { ro: true, subvolid: '5' },
  damage: {
    volumes: ['mixed', 'compressed', 'subvolumes'],
    milliseconds: 2500,
  },
};
