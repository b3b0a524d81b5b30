/** A round is a function of target, fixture and seed, and leaves the fixture as it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inputOf, type Prepared, prepare, runRound } from '../../fuzz/round.js';
import type { Target } from '../../fuzz/target.js';
import { loadFixture } from '../../fuzz/target.js';
import { targets } from '../../fuzz/targets/index.js';
import { fileSystems } from '../../src/fs/index.js';
import { readFixture } from '../support/fixtures.js';

const rounds = 4;

/** The smallest fixture of a target: the rule is the same for all. */
function smallest(target: Target): string {
  const bySize = target.fixtures.map((name) => ({ name, size: loadFixture(target, name).length }));
  return bySize.sort((a, b) => a.size - b.size)[0]?.name ?? '';
}

function copyOfInput(prepared: Prepared, seed: number): { bytes: Buffer; verified: boolean } {
  const { input, verified, undo } = inputOf(prepared, seed);
  const bytes = Buffer.from(Uint8Array.from(input));
  undo();
  return { bytes, verified };
}

test('a fixture is a copy: changing what is cut out of it changes nothing else', () => {
  const bytes = readFixture('swap/swap.json.gz');
  const [before] = bytes;
  bytes.slice(0, 1)[0] = 0xaa;
  assert.equal(bytes[0], before);
});

for (const target of targets) {
  test(`${target.name}: a round restores the fixture, and its input follows from its seed alone`, async () => {
    const fixture = smallest(target);
    const original = Buffer.from(loadFixture(target, fixture));
    const prepared = await prepare(target, fixture);
    const damaged = new Set<number>();
    const inOrder: ReturnType<typeof copyOfInput>[] = [];
    for (let seed = 1; seed <= rounds; seed++) {
      const input = copyOfInput(prepared, seed);
      if (!input.bytes.equals(original)) damaged.add(seed);
      inOrder.push(input);
      assert.equal(await runRound(prepared, seed), undefined, `seed ${seed}`);
      assert.ok(original.equals(prepared.bytes), `seed ${seed} leaves the fixture as it was`);
    }
    assert.ok(damaged.size >= rounds / 2, 'most rounds damage something');
    const afresh = await prepare(target, fixture);
    for (let seed = rounds; seed >= 1; seed--) assert.deepEqual(copyOfInput(afresh, seed), inOrder[seed - 1]);
  });
}

test('every driver that opens anything has a target', () => {
  const readers = fileSystems.filter(({ open }) => open !== undefined).map(({ name }) => `fs/${name}`);
  assert.ok(readers.length >= 3);
  assert.deepEqual(
    readers.filter((name) => !targets.some((target) => target.name === name)),
    [],
  );
});

test('some rounds verify checksums, and some do not', async () => {
  const target = targets[0];
  assert.ok(target);
  const prepared = await prepare(target, target.fixtures[0] ?? '');
  const kinds = new Set(Array.from({ length: 16 }, (_, seed) => copyOfInput(prepared, seed).verified));
  assert.deepEqual([...kinds].sort(), [false, true]);
});
