/** Extended attributes and access control lists, beyond what the golden walks compare. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presentAcl } from '../../../src/fs/ext/acl.js';
import { decodeXattrEntries } from '../../../src/fs/ext/xattr-entries.js';
import { pathsOf } from '../../support/tell.js';
import { openFixture } from './fixture.js';

test('an access control list is presented as getxattr does', () => {
  const stored = Buffer.from(
    '01000000' + '01000600' + '0200040001000000' + '04000400' + '10000700' + '20000400',
    'hex',
  );
  assert.equal(
    Buffer.from(presentAcl(stored, 'acl')).toString('hex'),
    '02000000' +
      '01000600ffffffff' +
      '0200040001000000' +
      '04000400ffffffff' +
      '10000700ffffffff' +
      '20000400ffffffff',
  );
  for (const [bad, message] of [
    ['', /version 1/],
    ['02000000', /version 1/],
    ['0100000001', /cut short/],
    ['0100000002000400', /cut short/],
    ['0100000003000400', /no known kind/],
  ] as const)
    assert.throws(() => presentAcl(Buffer.from(bad, 'hex'), 'acl'), { name: 'CorruptError', message });
});

test('lists that default to others are read from directories', () => {
  const fs = openFixture('ext4-1k');
  const directory = fs.xattrs(pathsOf(fs).get('/attributes') ?? 0);
  assert.ok(directory.get('system.posix_acl_default'));
});

test('mount options hide attributes', () => {
  const names = (option: string): string[] => {
    const fs = openFixture('ext4-1k', { options: { [option]: true } });
    const paths = pathsOf(fs);
    return ['/attributes/few', '/attributes/acl'].flatMap((path) => [
      ...fs.xattrs(paths.get(path) ?? 0).keys(),
    ]);
  };
  assert.ok(names('acl').includes('system.posix_acl_access') && names('acl').includes('user.one'));
  for (const gone of ['noacl', 'nouser_xattr']) assert.throws(() => names(gone), { code: 'EINVAL' });
});

test('values in inodes of their own are read, and shared ones too', () => {
  const fs = openFixture('ext4-ea-inode');
  const paths = pathsOf(fs);
  const large = fs.xattrs(paths.get('/attributes/few') ?? 0).get('user.large');
  const same = fs.xattrs(paths.get('/attributes/empty') ?? 0).get('user.same');
  assert.equal(large?.length, 1024); // as long as debugfs can set them in blocks of 1 KiB, and too long for such a block
  assert.deepEqual(large, same);
});

test('tables of attributes that break the rules are corrupt', () => {
  const entry = (nameLength: number, offset: number, size: number, name = 'n'): number[] => {
    const bytes = Buffer.alloc(16 + ((name.length + 3) & ~3));
    bytes[0] = nameLength;
    bytes[1] = 1;
    bytes.writeUInt16LE(offset, 2);
    bytes.writeUInt32LE(size, 8);
    bytes.write(name, 16);
    return [...bytes];
  };
  const decode = (bytes: number[], size = 128) => {
    const table = new Uint8Array(size);
    table.set(bytes.slice(0, size));
    return decodeXattrEntries(table, 0, 0, 'table');
  };
  assert.equal(decode(entry(1, 100, 4)).length, 1);
  assert.deepEqual(decode([]), []);
  for (const [bytes, message] of [
    [entry(1, 100, 29), /lies outside/],
    [entry(1, 0xffff, 1), /lies outside/],
    [entry(1, 100, 0xffffffff), /lies outside/],
    [entry(1, 20, 4), /overlaps the list/],
    [entry(200, 100, 4), /name of an attribute is invalid/],
    [entry(2, 100, 4, 'n\0'), /name of an attribute is invalid/],
    [
      [...entry(1, 0, 0), ...entry(1, 0, 0), ...entry(1, 0, 0)].concat(
        entry(1, 0, 0),
        entry(1, 0, 0),
        entry(1, 0, 0),
      ),
      /no end|cut short/,
    ],
  ] as const)
    assert.throws(() => decode([...bytes], bytes.length > 100 ? 120 : 128), {
      name: 'CorruptError',
      message,
    });
});
