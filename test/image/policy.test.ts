/** Which files an image can make us open. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readAll } from '../support/gaits.js';
import { type HostImageOptions, openImage } from '../support/host-images.js';
import { scratchDirectory } from '../support/scratch.js';
import { fixtureBytes, unpackFixtures } from './fixtures.js';

const root = scratchDirectory();
const vm = join(root, 'vm');
mkdirSync(join(vm, 'sub'), { recursive: true });
mkdirSync(join(root, 'elsewhere'));
for (const directory of [vm, join(vm, 'sub'), join(root, 'elsewhere')]) {
  writeFileSync(join(directory, 'base.raw'), Buffer.alloc(4096, directory.length));
  writeFileSync(join(directory, 'secret.qcow2'), fixtureBytes('v3.qcow2'));
}

const names = {
  offset: 0x200, // in the header cluster, well behind the extensions
};

/** A version 3 image that names a backing file (and its format), made from a real one. */
function namingImage(path: string, backing: string, format?: string): string {
  const bytes = Buffer.from(fixtureBytes('refcount1.qcow2'));
  const name = Buffer.from(backing);
  bytes.fill(0, 104, 0x1000);
  bytes.writeUInt8(0, 104);
  let at = bytes.readUInt32BE(100);
  if (format !== undefined) {
    bytes.writeUInt32BE(0xe2792aca, at);
    bytes.writeUInt32BE(format.length, at + 4);
    bytes.write(format, at + 8);
    at += 8 + Math.ceil(format.length / 8) * 8;
  }
  assert.ok(at + 8 <= names.offset);
  bytes.writeBigUInt64BE(BigInt(names.offset), 8);
  bytes.writeUInt32BE(name.length, 16);
  name.copy(bytes, names.offset);
  writeFileSync(path, bytes);
  return path;
}

const top = join(vm, 'top.qcow2');

function firstByte(options: HostImageOptions): number {
  const { disk } = openImage(top, options);
  try {
    return readAll(disk)[0] ?? -1;
  } finally {
    disk.close();
  }
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

const refused = (reason: RegExp) => (thrown: unknown) => {
  assert.equal((thrown as { code: string }).code, 'EPERM');
  assert.match((thrown as Error).message, reason);
  assert.match((thrown as Error).message, /policy 'trusted'/);
  return true;
};

test('untrusted: a file beside the image, or below it, is opened', () => {
  for (const name of ['base.raw', './base.raw', 'sub/base.raw', 'sub/../base.raw', join(vm, 'base.raw')]) {
    namingImage(top, name, 'raw');
    assert.equal(firstByte({}), name === 'sub/base.raw' ? join(vm, 'sub').length : vm.length, name);
  }
});

test('untrusted: a file outside the image’s directory is refused, by any way that leads there', () => {
  symlinkSync(join(root, 'elsewhere'), join(vm, 'way'));
  symlinkSync(join(root, 'elsewhere', 'base.raw'), join(vm, 'link.raw'));
  for (const name of [
    '../elsewhere/base.raw',
    'sub/../../elsewhere/base.raw',
    join(root, 'elsewhere', 'base.raw'),
    'way/base.raw',
    'link.raw',
    '/etc/passwd',
    '../vmware',
  ]) {
    namingImage(top, name, 'raw');
    const before = openFiles();
    assert.throws(() => openImage(top), refused(/outside/), name);
    assert.equal(openFiles(), before, `${name}: files left open`);
  }
  namingImage(top, '../elsewhere/base.raw', 'raw');
  assert.equal(firstByte({ policy: 'trusted' }), join(root, 'elsewhere').length);
});

test('untrusted: what exists outside cannot be told from what does not', () => {
  namingImage(top, '../elsewhere/no-such-file', 'raw');
  assert.throws(() => openImage(top), refused(/outside/));
  namingImage(top, 'no-such-file', 'raw');
  assert.throws(() => openImage(top), { code: 'ENOENT' });
});

test('untrusted: a chain stays inside the directory of the image on top', () => {
  namingImage(join(vm, 'sub', 'middle.qcow2'), '../base.raw', 'raw');
  namingImage(top, 'sub/middle.qcow2', 'qcow2');
  assert.equal(firstByte({}), vm.length);
  namingImage(join(vm, 'sub', 'middle.qcow2'), '../../elsewhere/base.raw', 'raw');
  assert.throws(() => openImage(top), refused(/outside/));
});

test('untrusted: a backing file whose format is not named is refused; trusted: it is probed', () => {
  namingImage(top, 'secret.qcow2');
  assert.throws(() => openImage(top), refused(/format/));
  const { chain, disk } = openImage(top, { policy: 'trusted' });
  disk.close();
  assert.deepEqual(
    chain.map(({ format }) => format),
    ['qcow2', 'qcow2'],
  );
});

test('a backing file that is named raw is raw, whatever is in it', () => {
  namingImage(top, 'secret.qcow2', 'raw');
  assert.equal(firstByte({}), 'Q'.charCodeAt(0));
});

test('untrusted: names of protocols are refused; trusted: those that mean a file are followed', () => {
  const nested = JSON.stringify({
    driver: 'qcow2',
    file: { driver: 'file', filename: join(vm, 'secret.qcow2') },
  });
  const dotted = JSON.stringify({ 'file.driver': 'file', 'file.filename': join(vm, 'secret.qcow2') });
  const plain = JSON.stringify({ driver: 'file', filename: join(vm, 'base.raw') });
  for (const name of [
    'nbd:localhost:10809',
    'http://localhost/x.qcow2',
    'fd:0',
    'json:{}',
    `json:${plain}`,
    'file:base.raw',
    'x:y',
  ]) {
    namingImage(top, name, 'raw');
    assert.throws(() => openImage(top), refused(/protocol/), name);
  }
  namingImage(top, `json:${plain}`);
  assert.equal(firstByte({ policy: 'trusted' }), vm.length);
  for (const json of [nested, dotted]) {
    namingImage(top, `json:${json}`);
    assert.equal(openImage(top, { policy: 'trusted' }).chain[1]?.format, 'qcow2');
  }
  namingImage(top, `file:${join(vm, 'base.raw')}`, 'raw');
  assert.equal(firstByte({ policy: 'trusted' }), vm.length);
});

test('trusted: other protocols and options are ENOTSUP, and name what is in the way', () => {
  for (const [name, wanted] of [
    ['nbd:localhost:10809', /nbd:/],
    ['json:{"driver":"nbd","host":"x"}', /file name/],
    ['json:{"driver":"raw","offset":512,"file":{"driver":"file","filename":"x"}}', /offset/],
    ['json:{"driver":"qcow2","file":{"driver":"https","filename":"x"}}', /https/],
    ['json:[]', /no object/],
    ['json:{"a":{"b":{"c":1}}}', /a\.b/],
  ] as const) {
    namingImage(top, name);
    assert.throws(() => openImage(top, { policy: 'trusted' }), { code: 'ENOTSUP', message: wanted }, name);
  }
  namingImage(top, 'json:{');
  assert.throws(() => openImage(top, { policy: 'trusted' }), { name: 'CorruptError' });
});

test('a name with a NUL, a directory or a pipe is no file', () => {
  namingImage(top, 'base\0.raw', 'raw');
  assert.throws(() => openImage(top), { name: 'CorruptError' });
  namingImage(top, 'sub', 'raw');
  assert.throws(() => openImage(top), {
    code: 'EISDIR',
    message: /backing file ‘sub’ of .*: is a directory$/,
  });
  assert.equal(spawnSync('mkfifo', [join(vm, 'pipe')]).status, 0);
  namingImage(top, 'pipe', 'raw');
  assert.throws(() => openImage(top), {
    code: 'EINVAL',
    message: /‘pipe’.*neither a file nor a block device$/,
  });
  assert.throws(() => openImage(join(vm, 'pipe')), { code: 'EINVAL' });
  assert.throws(() => openImage(vm), { code: 'EISDIR' });
  assert.throws(() => openImage('/dev/zero'), { code: 'EINVAL' });
});

test('an error says which file of a chain it is about, and which image names what is missing', () => {
  namingImage(top, 'gone.raw', 'raw');
  for (const policy of ['untrusted', 'trusted'] as const)
    assert.throws(() => openImage(top, { policy }), {
      code: 'ENOENT',
      message: new RegExp(`^backing file ‘gone.raw’ of ${top}: .*gone.raw: no such file`),
    });
  namingImage(top, 'base.raw', 'qcow2');
  assert.throws(() => openImage(top), {
    name: 'CorruptError',
    message: `${join(vm, 'base.raw')}: qcow2 header: has no qcow2 magic`,
  });
  writeFileSync(
    join(vm, 'base.luks'),
    Buffer.concat([Buffer.from('LUKS\xba\xbe\0\x01', 'latin1'), Buffer.alloc(1016)]),
  );
  namingImage(top, 'base.luks', 'luks');
  assert.throws(() => openImage(top), {
    name: 'UnsupportedError',
    message: new RegExp(`^${join(vm, 'base.luks')}: luks image: not supported`),
  });
});

test('an image that backs itself, directly or by a round, is corrupt', () => {
  namingImage(top, 'top.qcow2', 'qcow2');
  assert.throws(() => openImage(top), { name: 'CorruptError', message: /comes back/ });
  namingImage(join(vm, 'other.qcow2'), 'top.qcow2', 'qcow2');
  namingImage(top, 'other.qcow2', 'qcow2');
  const before = openFiles();
  assert.throws(() => openImage(top), { name: 'CorruptError', message: /comes back/ });
  assert.equal(openFiles(), before);
});

test('a chain of 200 opens and reads, one of 201 is refused', () => {
  const chain = scratchDirectory();
  writeFileSync(join(chain, '1'), Buffer.alloc(1000, 7));
  for (let i = 2; i <= 201; i++) namingImage(join(chain, `${i}`), `${i - 1}`, i === 2 ? 'raw' : 'qcow2');
  const { disk, chain: links } = openImage(join(chain, '200'));
  assert.equal(links.length, 200);
  const bytes = readAll(disk);
  disk.close();
  assert.ok(bytes.subarray(0, 1000).every((byte) => byte === 7));
  assert.ok(bytes.subarray(1000).every((byte) => byte === 0));
  assert.throws(() => openImage(join(chain, '201')), { name: 'CorruptError', message: /too long/ });
});

test('a data file is held to the same rules', () => {
  const fixtures = unpackFixtures();
  const image = Buffer.from(readFileSync(join(fixtures, 'data.qcow2')));
  const at = image.indexOf('data.bin');
  mkdirSync(join(fixtures, 'inner'));
  for (const [name, reason] of [
    ['../d.bin', /outside/],
    ['/dev/nul', /outside/],
    ['nbd:a:b/', /protocol/],
  ] as const) {
    assert.equal(name.length, 8);
    const changed = Buffer.from(image);
    changed.write(name, at);
    writeFileSync(join(fixtures, 'inner', 'data.qcow2'), changed);
    assert.throws(() => openImage(join(fixtures, 'inner', 'data.qcow2')), refused(reason));
  }
  copyFileSync(join(fixtures, 'data.qcow2'), join(fixtures, 'inner', 'data.qcow2'));
  assert.throws(() => openImage(join(fixtures, 'inner', 'data.qcow2')), { code: 'ENOENT' });
});

test('names of files that are no UTF-8 lead to those files', () => {
  const strange = Buffer.concat([Buffer.from(`${vm}/caf`), Buffer.from([0xe9]), Buffer.from('.raw')]);
  writeFileSync(strange, Buffer.alloc(512, 0x5a));
  namingImage(top, 'cafX.raw', 'raw');
  const bytes = readFileSync(top);
  bytes[bytes.indexOf('cafX.raw') + 3] = 0xe9;
  writeFileSync(top, bytes);
  assert.equal(firstByte({}), 0x5a);
});
