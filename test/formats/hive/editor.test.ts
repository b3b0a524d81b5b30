/** Registry hives changed, as libhivex changes them: its programs read the same from both, at the same handles. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CorruptError, sourceOf } from '../../../src/base/index.js';
import { Hive, HiveEditor } from '../../../src/formats/index.js';
import { readFixture } from '../../support/fixtures.js';
import { Random } from '../../support/random.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs } from '../../support/tools.js';

const directory = scratchDirectory();
const merged = (): Buffer => Buffer.from(readFixture('hive/merged.hive.gz'));
const text = (words: string): Buffer => Buffer.from(`${words}\0`, 'utf16le');

/** What a program of libhivex writes. */
function say(program: string, args: readonly string[], input = ''): string {
  // hivexml cannot write to a socket, which is what a child has here.
  const words = [program, ...args].map((word) => `'${word}'`).join(' ');
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `set -e; ${words} > '${directory}/said'`], {
    input,
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${program}: ${stdout}${stderr}`);
  return readFileSync(`${directory}/said`, 'utf8');
}

/** hivexsh stores the values that are set together once. */
const withoutPlaces = (told: string): string => told.replace(/<byte_run [^>]*>/g, '');

/** The hive of an editor as libhivex tells it. */
function xml(bytes: Uint8Array): string {
  const path = `${directory}/ours.hive`;
  writeFileSync(path, bytes);
  return withoutPlaces(say('hivexml', [path]));
}

/** Names, values and children, the handles included. */
function tree(hive: Hive, node = hive.root): unknown {
  return {
    node,
    name: hive.nodeName(node),
    values: hive
      .nodeValues(node)
      .map((value) => [
        value,
        hive.valueKey(value),
        hive.valueType(value),
        Buffer.from(hive.valueData(value)).toString('hex'),
      ]),
    children: hive.nodeChildren(node).map((child) => tree(hive, child)),
  };
}

test('keys and values that hivexsh would have added', needs('hivexsh', 'hivexml'), () => {
  const theirs = `${directory}/theirs.hive`;
  writeFileSync(theirs, merged());
  const script = [
    'add Added',
    'cd \\Added',
    'add lower',
    'add Upper',
    'add middle',
    'setval 3',
    'words',
    'string:some words',
    'number',
    'dword:0x01020304',
    '@',
    'hex:3:00,01,02,03,04,05',
    'cd \\Added\\middle',
    'del',
    'commit',
  ];
  say('hivexsh', ['-w', theirs], `${script.join('\n')}\n`);
  const editor = new HiveEditor(sourceOf(merged()));
  const added = editor.addChild(editor.hive.root, 'Added');
  editor.addChild(added, 'lower');
  editor.addChild(added, 'Upper');
  const middle = editor.addChild(added, 'middle');
  editor.setValue(added, 'words', 1, text('some words'));
  editor.setValue(added, 'number', 4, Buffer.from([4, 3, 2, 1]));
  editor.setValue(added, '', 3, Buffer.from([0, 1, 2, 3, 4, 5]));
  editor.deleteChild(middle);
  const bytes = editor.commit();
  assert.equal(xml(bytes), withoutPlaces(say('hivexml', [theirs])));
});

test(
  'random changes are what a model says, at every handle that was given, and libhivex reads them',
  needs('hivexml'),
  () => {
    interface Key {
      readonly name: string;
      readonly children: Map<string, Key>;
      readonly values: Map<string, readonly [key: string, type: number, hex: string]>;
      node: number;
    }
    const fold = (name: string): string => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    for (let seed = 1; seed <= 6; seed++) {
      const random = new Random(seed);
      const editor = new HiveEditor(sourceOf(merged()));
      const model = (node: number): Key => ({
        node,
        name: editor.hive.nodeName(node),
        values: new Map(
          editor.hive.nodeValues(node).map((value) => {
            const key = editor.hive.valueKey(value);
            const hex = Buffer.from(editor.hive.valueData(value)).toString('hex');
            return [fold(key), [key, editor.hive.valueType(value), hex]];
          }),
        ),
        children: new Map(
          editor.hive.nodeChildren(node).map((child) => [fold(editor.hive.nodeName(child)), model(child)]),
        ),
      });
      const root = model(editor.hive.root);
      const all = (key: Key): Key[] => [key, ...[...key.children.values()].flatMap(all)];
      const names = ['a', 'B', '_', 'Zz', 'αβγ', 'Ünï', '', 'long name of a key', 'x', 'ab'];
      for (let step = 0; step < 150; step++) {
        const keys = all(root);
        const key = keys[random.below(keys.length)] ?? root;
        const name = `${names[random.below(names.length)]}${random.below(9)}`;
        const kind = random.below(8);
        if (kind < 4) {
          const known = key.children.get(fold(name));
          if (known !== undefined) assert.throws(() => editor.addChild(key.node, name), { code: 'EEXIST' });
          else {
            const node = editor.addChild(key.node, name);
            key.children.set(fold(name), { node, name, children: new Map(), values: new Map() });
          }
        } else if (kind < 5) {
          const [child] = [...key.children][random.below(Math.max(1, key.children.size))] ?? [];
          if (child === undefined) continue;
          editor.deleteChild(key.children.get(child)?.node ?? 0);
          key.children.delete(child);
        } else {
          const data = Buffer.alloc(
            [0, 1, 4, 5, 300, 20_000, 60_000][random.below(7)] ?? 0,
            random.below(256),
          );
          editor.setValue(key.node, name, 3, data);
          key.values.set(fold(name), [name, 3, data.toString('hex')]);
        }
      }
      const check = (hive: Hive, key: Key): void => {
        assert.equal(hive.nodeName(key.node), key.name);
        assert.deepEqual(
          hive
            .nodeValues(key.node)
            .map((value) => [
              hive.valueKey(value),
              hive.valueType(value),
              Buffer.from(hive.valueData(value)).toString('hex'),
            ]),
          [...key.values.values()],
        );
        const children = hive.nodeChildren(key.node);
        assert.deepEqual(
          [...children].sort((a, b) => a - b),
          [...key.children.values()].map(({ node }) => node).sort((a, b) => a - b),
        );
        // In the order in which Windows looks for them.
        const order = children.map((child) => hive.nodeName(child).toUpperCase());
        assert.deepEqual(order, [...order].sort(), `seed ${seed}`);
        for (const child of key.children.values()) check(hive, child);
      };
      check(editor.hive, root);
      const bytes = editor.commit();
      // A strict reader checks all of it.
      const again = new Hive(sourceOf(bytes));
      check(again, root);
      assert.deepEqual(tree(again), tree(editor.hive));
      const words = xml(bytes);
      for (const { name } of all(root)) assert.ok(words.includes(`<node name="${name}"`), name);
    }
  },
);

test('long data are in parts where the version of the hive has them so, and in one cell otherwise', () => {
  const data = Buffer.alloc(50_000, 'data');
  for (const [minor, id] of [
    [3, data.toString('latin1', 0, 2)],
    [5, 'db'],
  ] as const) {
    const hive = merged();
    hive.writeUInt32LE(minor, 24);
    let sum = 0;
    for (let at = 0; at < 508; at += 4) sum ^= hive.readUInt32LE(at);
    hive.writeUInt32LE(sum >>> 0, 508);
    const editor = new HiveEditor(sourceOf(hive));
    editor.setValue(editor.hive.root, 'long', 3, data);
    const bytes = Buffer.from(editor.commit());
    const again = new Hive(sourceOf(bytes));
    const value = again.nodeGetValue(again.root, 'long') ?? 0;
    assert.deepEqual(Buffer.from(again.valueData(value)), data);
    const cell = 4096 + bytes.readUInt32LE(value + 12);
    assert.equal(bytes.toString('latin1', cell + 4, cell + 6), id);
  }
});

test('a key goes with its lists and its share of the security, and so does an emptied list', () => {
  const editor = new HiveEditor(sourceOf(merged()));
  const parent = editor.addChild(editor.hive.root, 'parent');
  const before = tree(editor.hive);
  const refcount = (): number => {
    const bytes = Buffer.from(editor.commit());
    return bytes.readUInt32LE(4096 + bytes.readUInt32LE(editor.hive.root + 48) + 16);
  };
  const users = refcount();
  const child = editor.addChild(parent, 'child');
  editor.addChild(child, 'below');
  editor.setValue(child, 'value', 1, text('value'));
  assert.equal(refcount(), users + 2);
  editor.deleteChild(child);
  assert.deepEqual(tree(editor.hive), before);
  assert.equal(refcount(), users);
  const bytes = Buffer.from(editor.commit());
  assert.equal(bytes.readUInt32LE(parent + 32), 0xffff_ffff);
  assert.throws(() => editor.deleteChild(child), { code: 'EINVAL' });
  assert.throws(() => editor.deleteChild(editor.hive.root), { code: 'EINVAL' });
});

test('a hive with fewer uses of a security than it has keys is refused, and stays as it is', () => {
  const hive = Buffer.from(readFixture('hive/values.hive.gz'));
  const editor = new HiveEditor(sourceOf(hive));
  const before = tree(editor.hive);
  const [child] = editor.hive
    .nodeChildren(editor.hive.root)
    .filter((each) => editor.hive.nodeChildren(each).length > 0);
  if (child === undefined) return assert.fail('the fixture has no key with keys below it');
  assert.throws(() => editor.deleteChild(child), CorruptError);
  assert.deepEqual(tree(editor.hive), before);
});

test('a security that has as many keys as can be gets no more, and the hive stays as it is', () => {
  const bytes = merged();
  const { root } = new Hive(sourceOf(bytes));
  bytes.writeUInt32LE(0xffff_ffff, 4096 + bytes.readUInt32LE(root + 48) + 16);
  const editor = new HiveEditor(sourceOf(bytes));
  const before = tree(editor.hive);
  assert.throws(() => editor.addChild(root, 'one more'), CorruptError);
  assert.deepEqual(tree(editor.hive), before);
});

test('a cell behind the bins, where new ones would lie over it, is damage', () => {
  const whole = merged();
  let bin = 4096;
  const end = 4096 + whole.readUInt32LE(40);
  while (bin + whole.readUInt32LE(bin + 8) < end) bin += whole.readUInt32LE(bin + 8);
  // The last bin goes on where the header has none, with a cell in use and a free one.
  const longer = Buffer.concat([whole.subarray(0, end), Buffer.alloc(4096)]);
  longer.writeUInt32LE(longer.readUInt32LE(bin + 8) + 4096, bin + 8);
  longer.writeInt32LE(-16, end);
  longer.writeInt32LE(4080, end + 16);
  assert.throws(() => new HiveEditor(sourceOf(longer)), /has a cell behind its bins/);
  const editor = new HiveEditor(sourceOf(longer), { tolerant: true });
  editor.addChild(editor.hive.root, 'new');
  assert.ok(editor.hive.nodeGetChild(editor.hive.root, 'new'));
});

test('what cannot be stored is refused before anything changes', () => {
  const editor = new HiveEditor(sourceOf(merged()));
  const { root } = editor.hive;
  const before = tree(editor.hive);
  assert.throws(() => editor.setValue(root, 'x', 3, new Uint8Array(1_000_000)), { code: 'ERANGE' });
  assert.throws(() => editor.setValue(root, '\udc80', 3, new Uint8Array(1)), { code: 'EINVAL' });
  assert.throws(() => editor.setValue(root, 'x', -1, new Uint8Array(1)), { code: 'EINVAL' });
  assert.throws(() => editor.addChild(root, ''), { code: 'EINVAL' });
  assert.throws(() => editor.addChild(root, 'y'.repeat(70_000)), { code: 'EINVAL' });
  assert.throws(() => editor.addChild(17, 'y'), { code: 'EINVAL' });
  assert.deepEqual(tree(editor.hive), before);
});
