/** XFS for the conformance suite: volumes that foreign tools told of. */
import { xfs } from '../../../src/fs/xfs/index.js';
import type { FileSystemSuite } from '../conformance.js';
import { VolumeFolder } from '../volumes.js';

export const xfsVolumes = new VolumeFolder('xfs', 'img');

const replayedUsage: ReadonlySet<string> = new Set([
  'dirty-orphans',
  'dirty-intents',
  'dirty-refcounts',
  'dirty-mappings',
  'dirty-exchange',
  'dirty-attributes',
  'dirty-quota',
]);

export const suite: FileSystemSuite = {
  driver: xfs,
  volumes: xfsVolumes.volumes((name) => ({
    // What was deleted and still open, and what was about to be freed, the kernel frees as it replays the log.
    ...(replayedUsage.has(name) ? { usageWithout: ['free', 'available', 'freeFiles'] } : {}),
    // An attribute that is finished changes its file's times then.
    ...(name === 'dirty-attributes' ? { comparison: { without: ['ctime'] } } : {}),
  })),
  options: { ro: true },
  damage: {
    // Without checksums, so that damage gets further, and one with.
    volumes: ['plain-v4', 'plain-v5'],
    milliseconds: 2500,
    // What a mount refuses for its log can still be looked at without.
    secondTry: { ro: true, norecovery: true },
  },
};
