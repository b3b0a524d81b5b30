import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { CorruptError, GuestfsError, sourceOf, UnsupportedError } from '../../../src/base/index.js';
import { Hive } from '../../../src/formats/index.js';
import { readFixture } from '../../support/fixtures.js';

interface ValueTruth {
  readonly value: number;
  readonly key: string;
  readonly type: number;
  readonly length: number;
  readonly hex?: string;
  readonly sha256?: string;
  readonly text: string | null;
  readonly number: number | null;
}

interface NodeTruth {
  readonly node: number;
  readonly name: string;
  readonly parent: number | null;
  readonly children: readonly number[];
  readonly values: readonly ValueTruth[];
}

const truthOf = (name: string): NodeTruth[] =>
  Buffer.from(readFixture(`hive/${name}.truth.jsonl.gz`))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as NodeTruth);

const hiveBytes = (name: string): Buffer => Buffer.from(readFixture(`hive/${name}.hive.gz`));

/** What a call gives; null where it is refused with EINVAL or for damage. */
function given<T>(work: () => T): T | null {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof CorruptError || (thrown instanceof GuestfsError && thrown.code === 'EINVAL'))
      return null;
    throw thrown;
  }
}

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

function tellValue(hive: Hive, value: number): ValueTruth {
  const data = hive.valueData(value);
  return {
    value,
    key: hive.valueKey(value),
    type: hive.valueType(value),
    length: data.length,
    ...(data.length > 64 ? { sha256: sha256(data) } : { hex: Buffer.from(data).toString('hex') }),
    text: given(() => hive.valueText(value)),
    number: hive.valueNumber(value) ?? null,
  };
}

function tellNode(hive: Hive, node: number): NodeTruth {
  return {
    node,
    name: hive.nodeName(node),
    parent: given(() => hive.nodeParent(node)),
    children: hive.nodeChildren(node),
    values: hive.nodeValues(node).map((value) => tellValue(hive, value)),
  };
}

for (const name of ['lists', 'values', 'dirty', 'merged'])
  for (const tolerant of [false, true])
    test(`${name}: all that libhivex finds, by its own numbers${tolerant ? ', read as far as asked' : ''}`, () => {
      const truth = truthOf(name);
      const hive = new Hive(sourceOf(hiveBytes(name)), { tolerant });
      assert.equal(hive.root, truth[0]?.node);
      assert.deepEqual(
        truth.map(({ node }) => tellNode(hive, node)),
        truth,
      );
    });

test('keys and values are found by name in any case of ASCII', () => {
  const hive = new Hive(sourceOf(hiveBytes('values')));
  const { root } = hive;
  assert.equal(hive.nodeGetChild(root, 'VALUES'), undefined);
  assert.equal(hive.findNode(), root);
  const types = hive.findNode('TyPeS');
  assert.equal(types, hive.nodeChildren(root)[1]);
  assert.equal(hive.findNode('Ünïcödé', '世界'), hive.findNode('ÜNïcödé', '世界'));
  assert.equal(hive.findNode('ünïcödé'), undefined);
  assert.equal(hive.findNode('absent', 'below'), undefined);
  const value = hive.nodeGetValue(types ?? 0, 'sTring');
  assert.equal(hive.valueText(value ?? 0), 'Grüße, 世界 🐢');
  assert.equal(hive.valueText(hive.nodeGetValue(types ?? 0, '') ?? 0), 'default');
  assert.equal(hive.nodeGetValue(types ?? 0, 'absent'), undefined);
});

test('a number that is no node or value of the hive is an invalid argument', () => {
  const hive = new Hive(sourceOf(hiveBytes('merged')));
  const [value] = hive.nodeValues(hive.findNode('Microsoft', 'Last') ?? 0);
  for (const node of [0, 1, -4096, 4096, hive.root + 4, hive.root + 1, 1e15, Number.NaN, value ?? 0])
    assert.throws(() => hive.nodeName(node), { code: 'EINVAL' }, `${node}`);
  assert.throws(() => hive.valueKey(hive.root), { code: 'EINVAL' });
});

/** The hive with some bytes changed, and the header's sum right. */
function changed(name: string, change: (bytes: Buffer) => void): Buffer {
  const bytes = hiveBytes(name);
  change(bytes);
  let sum = 0;
  for (let at = 0; at < 508; at += 4) sum ^= bytes.readUInt32LE(at);
  bytes.writeUInt32LE(sum >>> 0, 508);
  return bytes;
}

const refused = (bytes: Buffer, problem: RegExp, tolerant = false): void =>
  assert.throws(
    () => new Hive(sourceOf(bytes), { tolerant }),
    (error) =>
      (error instanceof CorruptError || error instanceof UnsupportedError) && problem.test(error.message),
  );

test('files that are no hive of version 1 are refused, tolerant or not', () => {
  for (const tolerant of [false, true]) {
    refused(Buffer.alloc(100), /too short/, tolerant);
    refused(Buffer.alloc(8192), /another kind of file/, tolerant);
    refused(
      changed('dirty', (bytes) => bytes.writeUInt32LE(2, 20)),
      /version 2/,
      tolerant,
    );
    const sum = hiveBytes('dirty');
    sum[508] = (sum[508] ?? 0) + 1;
    refused(sum, /wrong checksum/, tolerant);
    refused(
      changed('dirty', (bytes) => bytes.writeUInt32LE(32, 36)),
      /no root key/,
      tolerant,
    );
  }
});

test('damage anywhere refuses a hive, and a tolerant reader meets it where it reads', () => {
  const noBin = changed('lists', (bytes) => bytes.write('HBIN', 0x1_2000));
  const noCell = changed('lists', (bytes) => bytes.writeInt32LE(0, 0x1_2020));
  const cut = hiveBytes('lists').subarray(0, 0x20000);
  for (const [bytes, problem] of [
    [noBin, /has no bin where one begins/],
    [noCell, /a cell of an impossible length/],
  ] as const) {
    refused(bytes, problem);
    const hive = new Hive(sourceOf(bytes), { tolerant: true });
    assert.equal(hive.nodeChildren(hive.root).length, 10);
    assert.equal(hive.nodeName(hive.findNode('ONE', 'only') ?? 0), 'only');
  }
  refused(cut, /no root key/, true);
});

/** A hive of one key at 0x1020, with what else is asked for behind it. */
function small(cells: (bin: Buffer) => void): Buffer {
  return changed('dirty', (bytes) => {
    bytes.fill(0, 0x1020);
    const bin = bytes.subarray(0x1000);
    const key = (at: number, next: number) => {
      bin.writeInt32LE(at - next, at);
      bin.write('nk', at + 4);
      bin.writeUInt16LE(0x20, at + 6);
    };
    key(0x20, 0x80);
    bin.writeInt32LE(0x80 - 0x1000, 0x80);
    bytes.writeUInt32LE(0x20, 36);
    cells(bin);
  });
}

test('lists of keys that contain themselves end', () => {
  const bytes = small((bin) => {
    bin.writeUInt32LE(1, 0x20 + 24);
    bin.writeUInt32LE(0x80, 0x20 + 32);
    bin.writeUInt16LE(2, 0x86);
    bin.write('ri', 0x84);
    bin.writeUInt32LE(0x80, 0x88);
    bin.writeUInt32LE(0x80, 0x8c);
  });
  for (const tolerant of [false, true]) {
    const hive = new Hive(sourceOf(bytes), { tolerant });
    assert.throws(() => hive.nodeChildren(hive.root), /contains itself/);
  }
});

test('a key with other keys than it says is damaged, and a tolerant reader gives those that are there', () => {
  const withCount = (count: number, entries: readonly number[]): Buffer =>
    small((bin) => {
      bin.writeUInt32LE(count, 0x20 + 24);
      bin.writeUInt32LE(0x80, 0x20 + 32);
      bin.write('li', 0x84);
      bin.writeUInt16LE(entries.length, 0x86);
      for (const [i, at] of entries.entries()) bin.writeUInt32LE(at, 0x88 + i * 4);
    });
  for (const [bytes, problem, found] of [
    [withCount(3, [0x20, 0x20]), /another number of subkeys/, 2],
    [withCount(1, [0x20, 0x20]), /more subkeys than it says/, 1],
    [withCount(2, [0x20, 0x84]), /an entry that is no key/, 1],
    [withCount(2, [0x20, 0xfff0_0000]), /an entry that is no key/, 1],
  ] as const) {
    const strict = new Hive(sourceOf(bytes));
    assert.throws(() => strict.nodeChildren(strict.root), problem);
    const tolerant = new Hive(sourceOf(bytes), { tolerant: true });
    assert.equal(tolerant.nodeChildren(tolerant.root).length, found);
  }
  const long = withCount(0xffff_ffff, new Array(900).fill(0x20));
  long.writeUInt16LE(0xffff, 0x1086);
  assert.throws(() => new Hive(sourceOf(long)).nodeChildren(0x1020), /longer than its cell/);
  const other = withCount(1, [0x20]);
  other.write('xx', 0x1084);
  assert.throws(() => new Hive(sourceOf(other)).nodeChildren(0x1020), /is no such list/);
});

test('lengths that reach beyond a cell are damage', () => {
  const named = small((bin) => bin.writeUInt16LE(100, 0x20 + 76));
  assert.throws(() => new Hive(sourceOf(named)).nodeName(0x1020), /name of a registry key/);
  const listed = small((bin) => {
    bin.writeUInt32LE(0x4000_0000, 0x20 + 40);
    bin.writeUInt32LE(0x80, 0x20 + 44);
  });
  assert.throws(() => new Hive(sourceOf(listed)).nodeValues(0x1020), /longer than its cell/);
  const value = (data_len: number, data_offset: number): Buffer =>
    small((bin) => {
      bin.writeInt32LE(-0x40, 0x80);
      bin.write('vk', 0x84);
      bin.writeUInt32LE(data_len, 0x88);
      bin.writeUInt32LE(data_offset, 0x8c);
      bin.writeInt32LE(0xc0 - 0x1000, 0xc0);
    });
  for (const [bytes, problem] of [
    [value(0x8000_0005, 0), /more data than it has room for/],
    [value(0x7fff_ffff, 0xc0), /longer than the hive/],
    [value(0x1000, 0xc0), /longer than the cell/],
    [value(8, 0x20_0000), /not in a cell/],
  ] as const)
    assert.throws(() => new Hive(sourceOf(bytes)).valueData(0x1080), problem);
  assert.equal(new Hive(sourceOf(value(0, 0xffff_ffff))).valueData(0x1080).length, 0);
});

test('a hive that says to be long and has no bins is not searched twice', () => {
  let reads = 0;
  const bytes = Buffer.concat([
    small((bin) => {
      bin.writeUInt32LE(500, 0x20 + 24);
      bin.writeUInt32LE(0x80, 0x20 + 32);
      bin.write('li', 0x84);
      bin.writeUInt16LE(500, 0x86);
      for (let i = 0; i < 500; i++) bin.writeUInt32LE(0x1000 * (1000 - i) + 0x20, 0x88 + i * 4);
    }),
    Buffer.alloc(0x1000 * 1000),
  ]);
  const long = changed('dirty', () => {});
  long.copy(bytes, 0, 0, 36);
  bytes.writeUInt32LE(0x1000 * 1000, 40);
  let sum = 0;
  for (let at = 0; at < 508; at += 4) sum ^= bytes.readUInt32LE(at);
  bytes.writeUInt32LE(sum >>> 0, 508);
  const source = sourceOf(bytes);
  const counted = {
    size: source.size,
    read(into: Uint8Array, offset: number) {
      reads++;
      source.read(into, offset);
    },
  };
  const hive = new Hive(counted, { tolerant: true });
  assert.deepEqual(hive.nodeChildren(hive.root), []);
  assert.ok(reads < 1100, `${reads}`);
});
