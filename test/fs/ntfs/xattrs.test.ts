/** Attributes that ntfs-3g answers to and does not list, streams that no system call can read, and what is damaged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileSystem, InodeNumber } from '../../../src/fs/index.js';
import { ntfs } from '../../../src/fs/ntfs/index.js';
import { readFixture } from '../../support/fixtures.js';
import { find } from '../../support/tell.js';
import { parseTruth, type ToldFile } from '../../support/truth.js';
import { openBytes } from '../conformance.js';
import { readVolume } from './suite.js';

const open = (): FileSystem => openBytes(ntfs, readVolume('attributes'), {});
const codes = { 1: 'EPERM', 61: 'ENODATA' } as const;

/** What a file answers to a name: hexadecimal, or the name of the error. */
function answer(fs: FileSystem, inode: InodeNumber, name: string): string {
  try {
    const value = fs.xattr?.(inode, name);
    return value === undefined ? 'ENODATA' : Buffer.from(value).toString('hex');
  } catch (thrown) {
    return String((thrown as { code?: unknown }).code);
  }
}

test('every attribute that is not listed is as libntfs-3g gives it', () => {
  const fs = open();
  const { files } = parseTruth(Buffer.from(readFixture('ntfs/attributes.truth.jsonl.gz')).toString());
  const descriptors = new Set<string>();
  for (const [path, file] of files) {
    const { system } = file as ToldFile & { system: Record<string, string | keyof typeof codes> };
    assert.equal(Object.keys(system).length, 12);
    for (const [name, told] of Object.entries(system)) {
      const wanted = typeof told === 'number' ? codes[told] : told;
      assert.equal(answer(fs, file.ino, name), wanted, `${path} ${name}`);
      if (name === 'system.ntfs_acl') descriptors.add(String(told));
    }
    for (const name of fs.xattrs(file.ino, () => {}).keys()) assert.match(name, /^user\./);
  }
  // The index of descriptors has more than its root.
  assert.ok(descriptors.size > 90);
});

test('one stream is read by its name, others of its file or not', () => {
  const fs = open();
  const file = find(fs, '/streams/file');
  const text = (name: string): string => Buffer.from(answer(fs, file, name), 'hex').toString('latin1');
  assert.equal(text('user.before'), 'a value');
  assert.equal(text('user.longest').length, 65_536);
  assert.equal(text('security.label'), 'of security');
  for (const [name, code] of [
    ['user.too long', 'E2BIG'],
    ['user.none', 'ENODATA'],
    ['user.ntfs-3g.security.label', 'ENODATA'],
    ['system.ntfs_none', 'ENODATA'],
    ['other.name', 'EOPNOTSUPP'],
    ['user.', 'EOPNOTSUPP'],
  ] as const)
    assert.equal(answer(fs, file, name), code, name);
  assert.throws(() => fs.xattrs(file), { code: 'E2BIG' });
  const left: string[] = [];
  const others = fs.xattrs(file, ({ message }) => left.push(message));
  assert.deepEqual([...others.keys()].sort(), ['user.after', 'user.before', 'user.longest']);
  assert.deepEqual(left, ['user.too long of 65537 bytes: argument list too long']);
});

test('a mount without streams has the attributes of the system alone', () => {
  const fs = openBytes(ntfs, readVolume('attributes'), { options: { streams_interface: 'none' } });
  const file = find(fs, '/streams/file');
  assert.equal(answer(fs, file, 'user.before'), 'EOPNOTSUPP');
  assert.equal(answer(fs, file, 'system.ntfs_attrib'), '20000000');
});
