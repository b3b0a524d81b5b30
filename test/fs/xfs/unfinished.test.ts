/** What a crash left begun and not done in a log: what is finished, and what the kernel does not mount for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { xfs } from '../../../src/fs/xfs/index.js';
import { Remapping } from '../../../src/fs/xfs/pending.js';
import { Random } from '../../support/random.js';
import { openBytes } from '../conformance.js';
import { xfsVolumes } from './suite.js';

function warningsOf(name: string): string[] {
  const warnings: string[] = [];
  openBytes(xfs, xfsVolumes.read(name), {
    options: { ro: true },
    warn: (message) => warnings.push(message),
  }).close();
  return warnings;
}

test('what was finished as the kernel does is not warned of; where the number of blocks is not known, that is', () => {
  for (const name of ['dirty-mappings', 'dirty-exchange', 'dirty-intents', 'dirty-refcounts'])
    assert.deepEqual(warningsOf(name), [], name);
  const warnings = warningsOf('dirty-attributes');
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^XFS log: inode 69: its number of blocks may be out of date/);
});

test('parts of a fork that were moved are the last that was said of each block', () => {
  const random = new Random(3);
  const remapping = new Remapping();
  const blocks = new Map<number, number | undefined>();
  for (let round = 0; round < 400; round++) {
    const [start, count] = [random.below(200), 1 + random.below(30)];
    const block = random.below(3) === 0 ? undefined : 1000 + random.below(1000);
    remapping.put({ start, count, block, written: true });
    for (let i = 0; i < count; i++) blocks.set(start + i, block === undefined ? undefined : block + i);
    for (let at = 0; at < 240; at++) {
      const piece = remapping.from(at);
      const skip = piece === undefined ? -1 : at - piece.start;
      assert.equal(skip >= 0, blocks.has(at), `whether ${at} is spoken of`);
      if (skip >= 0)
        assert.equal(piece?.block === undefined ? undefined : piece.block + skip, blocks.get(at));
    }
  }
});
