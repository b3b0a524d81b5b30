/** What is kept of a started appliance: what it serves, what is checked, what is removed. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type MachineIdentity,
  type MachineSnapshot,
  SnapshotStore,
} from '../../src/appliance/machine/snapshot-store.js';
import { daemon1_48 } from '../../src/appliance/wire/compat.js';
import { place } from './support.js';

const identity = (changes: Partial<MachineIdentity> = {}): MachineIdentity => ({
  arguments: ['-m', '1280'],
  hv: process.execPath,
  appliance: 'uuid 1-2-3',
  ...changes,
});

/** Makes a state with the given contents. */
async function keep(state: MachineSnapshot, memory = 'all that it knows'): Promise<void> {
  const unfinished = state.begin();
  writeFileSync(unfinished.memory, memory);
  const root = join(unfinished.path, '..', 'root-image');
  writeFileSync(root, 'its own disk');
  unfinished.keepRoot(root);
  await unfinished.finish(daemon1_48);
  unfinished.close();
}

const statesIn = (t: TestContext): { states: SnapshotStore; cache: string } => {
  const { cache } = place(t);
  return { states: new SnapshotStore(cache), cache };
};

test('a finished state is found again, is as it was written, and nothing half made is left', async (t) => {
  const { states, cache } = statesIn(t);
  const state = states.of(identity());
  assert.equal(state.find(), undefined);
  await keep(state);
  const found = states.of(identity()).find();
  assert.ok(found !== undefined);
  assert.deepEqual(found.daemon, daemon1_48);
  await found.check();
  assert.deepEqual(
    readdirSync(cache).filter((name) => name.includes('.')),
    [],
  );
});

test('a state serves no other machine, qemu or appliance', async (t) => {
  const { states, cache } = statesIn(t);
  await keep(states.of(identity()));
  const hv = join(cache, 'another-qemu');
  writeFileSync(hv, '');
  for (const changes of [{ arguments: ['-m', '1281'] }, { appliance: 'uuid 1-2-4' }, { hv }])
    assert.equal(states.of(identity(changes)).find(), undefined);
  // A program that was replaced by another of its name is another.
  await keep(states.of(identity({ hv })));
  assert.ok(states.of(identity({ hv })).find() !== undefined);
  utimesSync(hv, 1, 1);
  assert.equal(states.of(identity({ hv })).find(), undefined);
});

test('a state under the right name whose description is of another machine is not used', async (t) => {
  const { states } = statesIn(t);
  const state = states.of(identity());
  await keep(state);
  const path = join(state.path, 'state.json');
  const description = JSON.parse(readFileSync(path, 'utf8')) as { identity: string };
  writeFileSync(path, JSON.stringify({ ...description, identity: `${description.identity} ` }));
  assert.equal(state.find(), undefined);
});

for (const part of ['memory', 'root.qcow2']) {
  test(`a byte that changed in ${part}, one that is missing and one too many are noticed`, async (t) => {
    const { states } = statesIn(t);
    const state = states.of(identity());
    await keep(state);
    const path = join(state.path, part);
    const whole = readFileSync(path);
    const changed = Buffer.from(whole);
    changed.writeUInt8(changed.readUInt8(3) ^ 1, 3);
    for (const bytes of [changed, whole.subarray(1), Buffer.concat([whole, Buffer.of(0)]), Buffer.alloc(0)]) {
      writeFileSync(path, bytes);
      await assert.rejects(state.find()?.check() ?? Promise.resolve(), {
        code: 'EIO',
        message: /is not as it was written/,
      });
    }
    writeFileSync(path, whole);
    await state.find()?.check();
  });
}

test('a description that is damaged, or not there, is no state', async (t) => {
  const { states } = statesIn(t);
  const state = states.of(identity());
  await keep(state);
  for (const text of ['', '{', 'null', '[]', '"x"']) {
    writeFileSync(join(state.path, 'state.json'), text);
    assert.equal(state.find(), undefined, text);
  }
});

test('a state into which others may write is not used', async (t) => {
  const { states } = statesIn(t);
  const state = states.of(identity());
  await keep(state);
  const { chmodSync } = await import('node:fs');
  chmodSync(state.path, 0o777);
  assert.equal(state.find(), undefined);
});

test('of two launches that keep the same state, one succeeds and both end well', async (t) => {
  const { states, cache } = statesIn(t);
  const state = states.of(identity());
  const [first, second] = [state.begin(), state.begin()];
  for (const [unfinished, memory] of [
    [first, 'one'],
    [second, 'two'],
  ] as const) {
    writeFileSync(unfinished.memory, memory);
    unfinished.keepRoot(process.execPath);
    await unfinished.finish(daemon1_48);
    unfinished.close();
  }
  await state.find()?.check();
  assert.equal(readFileSync(join(state.path, 'memory'), 'utf8'), 'one');
  assert.deepEqual(readdirSync(cache), [state.path.slice(cache.length + 1)]);
});

test('a state that is not finished leaves nothing', (t) => {
  const { states, cache } = statesIn(t);
  const unfinished = states.of(identity()).begin();
  writeFileSync(unfinished.memory, 'half');
  unfinished.close();
  assert.deepEqual(readdirSync(cache), []);
});

test('three states are kept, those that were used last; what was begun long ago is removed', async (t) => {
  const { states, cache } = statesIn(t);
  const all = [1, 2, 3, 4, 5].map((size) => states.of(identity({ arguments: ['-m', `${size}`] })));
  for (const [index, state] of all.entries()) {
    await keep(state);
    utimesSync(state.path, 1000 + index, 1000 + index);
  }
  all[0]?.find()?.touch();
  const [now, before] = ['0123456789abcdef.0a', '0123456789abcdef.0b'].map((name) =>
    join(cache, `start-${name}`),
  ) as [string, string];
  mkdirSync(now);
  mkdirSync(before);
  utimesSync(before, 1000, 1000);
  all[0]?.prune();
  assert.deepEqual(
    all.map((state) => state.find() !== undefined),
    [true, false, false, true, true],
  );
  assert.ok(existsSync(now));
  assert.ok(!existsSync(before));
});
