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
  comparison: {
    // The empty directories in snapshots have the time of the look at them.
    except: ({ ino }, field) => ino === 2 && field.endsWith('time'),
  },
  damage: {
    volumes: ['mixed', 'compressed', 'subvolumes'],
    milliseconds: 2500,
  },
};
