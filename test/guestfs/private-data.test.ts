import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bindingKey, privateKey } from '../../src/guestfs/index.js';
import { fakeHandle, throwsWith } from './fake.js';

describe('private data', () => {
  test('a value is given back as it was, and a later one takes its place', () => {
    const { g } = fakeHandle();
    const value = { a: 1 };
    g.setPrivate('app.thing', value);
    assert.equal(g.getPrivate('app.thing'), value);
    g.setPrivate('app.thing', 'other');
    assert.equal(g.getPrivate('app.thing'), 'other');
  });

  test('what was never set, and what was set to null, is null', () => {
    const { g } = fakeHandle();
    assert.equal(g.getPrivate('nothing'), null);
    g.setPrivate('thing', 1);
    g.setPrivate('thing', null);
    assert.equal(g.getPrivate('thing'), null);
    g.setPrivate('thing', undefined);
    assert.equal(g.getPrivate('thing'), null);
    assert.equal(g.firstPrivate(), null);
  });

  test('values that are false in JavaScript are values', () => {
    const { g } = fakeHandle();
    for (const value of [0, '', false, Number.NaN]) {
      g.setPrivate('falsy', value);
      assert.ok(Object.is(g.getPrivate('falsy'), value));
      assert.deepEqual(g.firstPrivate(), ['falsy', value]);
    }
  });

  test('names that mean something to JavaScript objects are just names', () => {
    const { g } = fakeHandle();
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''];
    for (const name of names) assert.equal(g.getPrivate(name), null, name);
    for (const name of names) g.setPrivate(name, `value of ${name}`);
    for (const name of names) assert.equal(g.getPrivate(name), `value of ${name}`);
    assert.equal(({} as { polluted?: string }).polluted, undefined);
    assert.deepEqual([...g.privateEntries()].map(([name]) => name).sort(), [...names].sort());
  });

  test('a typed key and its name are one key', () => {
    const { g } = fakeHandle();
    const key = privateKey<number[]>('myapp.list');
    g.setPrivate(key, [1, 2]);
    assert.deepEqual(g.getPrivate(key), [1, 2]);
    assert.deepEqual(g.getPrivate('myapp.list'), [1, 2]);
    g.setPrivate(key, null);
    assert.equal(g.getPrivate(key), null);
  });

  test('a binding keeps values under names with an underscore', () => {
    const { g } = fakeHandle();
    const key = bindingKey<string>('_mybinding.state');
    g.setPrivate(key, 'kept');
    assert.equal(g.getPrivate(key), 'kept');
    assert.deepEqual(g.firstPrivate(), ['_mybinding.state', 'kept']);
  });

  test('a walk gives every name once, and null at its end', () => {
    const { g } = fakeHandle();
    assert.equal(g.nextPrivate(), null);
    for (let index = 0; index < 10; index++) g.setPrivate(`key${index}`, index);
    g.setPrivate('key3', null);
    const seen = new Map<string, unknown>();
    for (let entry = g.firstPrivate(); entry !== null; entry = g.nextPrivate()) {
      assert.ok(!seen.has(entry[0]));
      seen.set(...entry);
    }
    assert.equal(seen.size, 9);
    assert.equal(seen.get('key7'), 7);
    assert.equal(g.nextPrivate(), null);
    assert.deepEqual(new Map(g.privateEntries()), seen);
  });

  test('firstPrivate begins anew', () => {
    const { g } = fakeHandle();
    g.setPrivate('a', 1);
    g.setPrivate('b', 2);
    const first = g.firstPrivate();
    g.nextPrivate();
    assert.deepEqual(g.firstPrivate(), first);
  });

  test('names removed during a walk are left out of the rest of it', () => {
    const { g } = fakeHandle();
    for (const name of ['a', 'b', 'c', 'd']) g.setPrivate(name, name);
    const seen: string[] = [];
    for (const [name] of g.privateEntries()) {
      seen.push(name);
      g.setPrivate(name, null);
      g.setPrivate('d', null);
    }
    assert.deepEqual(seen.sort(), ['a', 'b', 'c']);
    assert.equal(g.firstPrivate(), null);
  });

  test('names set during a walk do not prolong it, and values replaced during it are the new ones', () => {
    const { g } = fakeHandle();
    for (const name of ['a', 'b', 'c']) g.setPrivate(name, 'old');
    let rounds = 0;
    for (let entry = g.firstPrivate(); entry !== null; entry = g.nextPrivate()) {
      rounds += 1;
      g.setPrivate(`new${rounds}`, rounds);
      if (rounds > 1) assert.equal(entry[1], 'replaced');
      for (const name of ['a', 'b', 'c']) g.setPrivate(name, 'replaced');
    }
    assert.equal(rounds, 3);
    assert.equal([...g.privateEntries()].length, 6);
  });

  test('a name removed and set again during a walk comes once at most', () => {
    const { g } = fakeHandle();
    for (const name of ['a', 'b']) g.setPrivate(name, 1);
    const seen: string[] = [];
    for (const [name] of g.privateEntries()) {
      seen.push(name);
      g.setPrivate(name, null);
      g.setPrivate(name, 2);
    }
    assert.deepEqual(seen.sort(), ['a', 'b']);
  });

  test('100,000 names are set, read, walked over and removed in a moment', () => {
    const { g } = fakeHandle();
    const count = 100_000;
    const started = performance.now();
    for (let index = 0; index < count; index++) g.setPrivate(`key.${index}`, index);
    let sum = 0;
    for (let index = 0; index < count; index++) sum += g.getPrivate(`key.${index}`) as number;
    assert.equal(sum, (count * (count - 1)) / 2);
    let walked = 0;
    for (let entry = g.firstPrivate(); entry !== null; entry = g.nextPrivate()) walked += 1;
    assert.equal(walked, count);
    for (let index = 0; index < count; index++) g.setPrivate(`key.${index}`, null);
    assert.equal(g.firstPrivate(), null);
    // It takes some 50 ms; anything that is not linear would take minutes.
    assert.ok(performance.now() - started < 5000);
  });

  test('two handles share nothing', () => {
    const one = fakeHandle().g;
    const two = fakeHandle().g;
    one.setPrivate('thing', 1);
    assert.equal(two.getPrivate('thing'), null);
  });

  test('values are there inside the close callback, and gone after it', async () => {
    const { g } = fakeHandle();
    g.setPrivate('thing', 'here');
    const seen: unknown[] = [];
    g.setCloseCallback(() => {
      seen.push(g.getPrivate('thing'), g.firstPrivate());
      g.setPrivate('late', 1);
      seen.push(g.getPrivate('late'));
    });
    const closing = g.close();
    assert.deepEqual(seen, ['here', ['thing', 'here'], 1]);
    throwsWith(() => g.getPrivate('thing'), 'EBADF', /closed/);
    throwsWith(() => g.setPrivate('thing', 1), 'EBADF', /closed/);
    throwsWith(() => g.firstPrivate(), 'EBADF', /closed/);
    await closing;
  });

  test('values outlive a shutdown', async () => {
    const handle = fakeHandle();
    handle.g.setPrivate('thing', 1);
    handle.g.addDriveScratch(1024);
    await handle.g.launch();
    await handle.g.shutdown();
    assert.equal(handle.g.getPrivate('thing'), 1);
    await handle.g.close();
  });
});
