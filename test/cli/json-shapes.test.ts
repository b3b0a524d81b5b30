/** What the commands print with `--json` is what the reference documentation says: field by field, and no other. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { commandNames } from '../../src/cli/command/command-names.js';
import { commands } from '../../src/cli/command/commands.js';
import { jsonNotes, jsonOutputs, jsonShapes } from '../../src/cli/command/json-shapes.js';
import { readFixture } from '../support/fixtures.js';
import { guestfs, names, sample, scratch } from './command.js';

/** What takes a variant, packages that cannot be listed, ten thousand snapshots, or a filesystem on a volume. */
const rare = [
  'System.productVariant',
  'System.packagesProblem',
  'Link.snapshotsLeftOut?',
  'Volume.content',
  'Volume.label',
];

/** Fields that were seen, as `Shape.field`, and of those that may be null whether they were not. */
const seen = new Set<string>();

/** Compares a value with a type. Throws an AssertionError that says where they differ. */
function hold(value: unknown, type: string, where: string): void {
  if (type.endsWith(' | null')) return value === null ? undefined : hold(value, type.slice(0, -7), where);
  if (type.endsWith('[]')) {
    assert.ok(Array.isArray(value), `${where}: no list`);
    for (const [index, each] of value.entries()) hold(each, type.slice(0, -2), `${where}[${index}]`);
    return;
  }
  if (type === 'any') return;
  if (['string', 'number', 'boolean'].includes(type))
    return assert.equal(typeof value, type, `${where}: ${JSON.stringify(value)}`);
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${where}: no object`);
  if (type.startsWith('{')) {
    for (const [key, each] of Object.entries(value)) hold(each, type.slice(1, -1), `${where}{${key}}`);
    return;
  }
  const shape = jsonShapes[type];
  assert.ok(shape !== undefined, `${where}: there is no shape ${type}`);
  const left = new Map(Object.entries(value));
  for (const [name, [fieldType]] of Object.entries(shape)) {
    const field = name.replace(/\?$/, '');
    const isOptional = field !== name;
    if (!left.has(field)) {
      assert.ok(isOptional, `${where}: a ${type} without ${field}`);
      continue;
    }
    hold(left.get(field), fieldType, `${where}.${field}`);
    if (left.get(field) !== null) seen.add(`${type}.${name}`);
    left.delete(field);
  }
  assert.deepEqual([...left.keys()], [], `${where}: a ${type} has more`);
}

async function check(status: number, command: keyof typeof jsonOutputs, ...words: string[]): Promise<void> {
  const { status: actual, out, err } = await guestfs(command, '--json', ...words);
  assert.equal(actual, status, err);
  const where = `${command} ${words.join(' ')}`;
  if (command !== 'find') return hold(JSON.parse(out), jsonOutputs[command], where);
  for (const line of out.split('\n').filter(Boolean)) hold(JSON.parse(line), jsonOutputs.find, where);
}

const fixture = (name: string): string => {
  const path = join(scratch, name.split('/').at(-1) ?? '');
  writeFileSync(path, readFixture(`${name}.gz`));
  return path;
};

describe('the JSON of a command', () => {
  test('is told of each that has it', async () => {
    const having: string[] = [];
    for (const name of commandNames)
      if ((await commands[name]()).options.json !== undefined) having.push(name);
    assert.deepEqual(having.toSorted(), Object.keys(jsonOutputs).toSorted());
    for (const name of Object.keys(jsonNotes)) assert.ok(Object.hasOwn(jsonOutputs, name), name);
  });

  test('has the shape that is told: a guest', async () => {
    await Promise.all([
      check(0, 'inspect', sample),
      check(0, 'filesystems', sample),
      check(0, 'info', sample),
    ]);
    await Promise.all([
      check(0, 'df', sample),
      check(0, 'df', '-i', sample),
      check(0, 'ls', `${sample}:/etc`),
    ]);
    await Promise.all([check(0, 'ls', '-d', `${names}:/*`), check(0, 'find', sample)]);
    await check(0, 'stat', `${sample}:/etc/hostname`, '/bin', '/dev/null');
  });

  test('has the shape that is told: images of several files, with snapshots, of other sectors', async () => {
    for (const name of ['base.raw', 'data.bin']) fixture(`qcow2/${name}`);
    fixture('vmdk/flat-flat.vmdk');
    const images = ['qcow2/snapshots.qcow2', 'qcow2/over-raw.qcow2', 'qcow2/data.qcow2', 'vmdk/flat.vmdk'];
    for (const name of images) await check(0, 'info', '--trust', fixture(name));
    await check(0, 'info', fixture('vhdx/sectors-4096.vhdx'));
  });

  test('has the shape that is told: volumes', async () => {
    const [one = '', ...others] = ['a', 'b', 'c'].map((name) => fixture(`lvm/one-${name}.img`));
    await check(0, 'info', one, ...others.flatMap((other) => ['-a', other]));
  });

  test('has the shape that is told: what cannot be opened or read', async () => {
    await check(3, 'info', fixture('qcow2/over-zlib.qcow2'));
    const cut = join(scratch, 'cut.qcow2');
    writeFileSync(cut, readFileSync(sample).subarray(0, 70_000));
    await check(6, 'inspect', cut);
    const locked = join(scratch, 'locked.img');
    const luks = Buffer.alloc(4 * 1024 * 1024);
    luks.writeUInt16LE(0xaa55, 510);
    luks.writeUInt8(0x83, 450);
    luks.writeUInt32LE(2048, 454);
    luks.writeUInt32LE(6144, 458);
    luks.write('LUKS\xba\xbe\0\x01', 1024 * 1024, 'latin1');
    writeFileSync(locked, luks);
    await check(0, 'info', locked);
    const damaged = join(scratch, 'damaged.img');
    // Without its group descriptors it cannot be mounted.
    writeFileSync(damaged, readFileSync(names).fill(0, 2048, 12_288));
    await Promise.all([check(6, 'filesystems', damaged), check(6, 'df', damaged), check(0, 'info', damaged)]);
  });

  test('has the shape that is told: image files', async () => {
    const made = join(scratch, 'made.qcow2');
    await check(0, 'create', made, '1M');
    await check(
      0,
      'make-fs',
      import.meta.dirname,
      '--efi',
      import.meta.dirname,
      '-o',
      join(scratch, 'made.img'),
    );
    await check(0, 'resize', '--rw', made, '4M');
    await check(0, 'partition', '--rw', made, 'init', 'gpt');
    await check(0, 'check', made);
  });

  test('has the shape that is told: changed files', async () => {
    const image = join(scratch, 'changed.img');
    writeFileSync(image, readFixture('cli/names.img.gz'));
    await check(0, 'touch', '--rw', `${image}:/new`);
  });

  test('has the shape that is told: this machine, and the actions', async () => {
    await Promise.all([check(0, 'doctor'), check(0, 'actions')]);
  });

  test('of an action has the shape of its result', async () => {
    const words = [
      'statns',
      '/etc',
      ':',
      'blkid',
      '/dev/sda2',
      ':',
      'read-file',
      '/etc/hostname',
      ':',
      'ping-daemon',
    ];
    const { out } = await guestfs('call', '--json', '-i', sample, ...words);
    const [stat, table, bytes, none] = JSON.parse(out);
    assert.equal(typeof stat.stMode, 'number');
    assert.equal(table.TYPE, 'ext4');
    assert.deepEqual([bytes, none], [Buffer.from('dolphin\n').toString('base64'), null]);
    assert.equal(typeof JSON.parse((await guestfs('call', '--json', 'version')).out).major, 'number');
  });

  after(() => {
    const all = Object.entries(jsonShapes).flatMap(([shape, fields]) =>
      Object.keys(fields).map((field) => `${shape}.${field}`),
    );
    assert.deepEqual(
      all.filter((field) => !seen.has(field)),
      rare,
      'each field was seen',
    );
  });
});
