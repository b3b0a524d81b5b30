/** Growing, cut at every place: what e2fsck makes of it has every file, and asks for no repair where none is due. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { superblock, superblockOffset } from '../../../../src/fs/ext/layout.js';
import { countCrashes, surviveCrashes } from '../../../support/crashes.js';
import { needs } from '../../../support/tools.js';
import { before, check, checkMark, growDurably, kinds } from './grow-model.js';

for (const [kind, sectorSize] of kinds) {
  test(`${kind}: e2fsck finds all files wherever growing ends`, needs('mke2fs', 'e2fsck'), (t) => {
    const bytes = before(kind);
    const { cuts, recording } = surviveCrashes(bytes, growDurably, check, { most: 16, sectorSize });
    t.diagnostic(`${cuts} cuts of ${recording.log.length} writes and barriers`);
    const { s_blocks_count_lo: old } = superblock.decode(bytes, superblockOffset);
    const grown = new Uint8Array(superblock.size);
    recording.read(grown, superblockOffset);
    assert.ok(superblock.decode(grown).s_blocks_count_lo > old);
  });
}

test(
  'one that is half grown is never said to be in order, and a barrier that is left out is found',
  needs('mke2fs'),
  () => {
    const bytes = before('ext3 2k');
    const checked = checkMark(bytes);
    const options = { most: 40, sectorSize: 4096, untilWrong: true };
    surviveCrashes(bytes, growDurably, checked, options);
    for (const barrier of [0, 1, 2]) {
      const without = { ...options, withoutBarriers: [barrier] };
      assert.ok(countCrashes(bytes, growDurably, checked, without).wrong.length > 0, `${barrier}`);
    }
  },
);
