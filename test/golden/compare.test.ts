/** The comparison itself: whatever is told otherwise than it is, is found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ToldFile } from '../support/truth.js';
import { compareTree } from './compare.js';
import { withImages } from './open.js';
import { committedTruth, samplePath } from './truth.js';

type Changing = { -readonly [Field in keyof ToldFile]: ToldFile[Field] };

const elsewhere = (path: string) => path !== '/home' && !path.startsWith('/home/');

const byPath = (files: readonly ToldFile[]) => new Map(files.map((file) => [file.path, file]));

/** Each changes the truth about one file, or the list of files. */
const lies: [string, (file: (path: string) => Changing, files: Changing[]) => void][] = [
  ['mode', (file) => (file('/home/ada/notes.md').mode ^= 0o002)],
  ['owner', (file) => (file('/home/ada').uid = 1001)],
  ['group', (file) => (file('/home/ada/data').gid = 0)],
  ['size', (file) => file('/home/ada/sparse.img').size++],
  ['links', (file) => file('/home/ada/notes-again.md').nlink++],
  ['blocks', (file) => (file('/home/ada/sparse.img').blocks += 8)],
  ['inode', (file) => file('/home/ada/latest').ino++],
  ['device', (file) => (file('/home/ada/notes.md').rdev = [8, 0])],
  ['time', (file) => (file('/home/ada/notes.md').mtime = '1700000000.000000001')],
  ['link', (file) => (file('/home/ada/latest').link = 'notes.MD')],
  ['checksum', (file) => (file('/home/ada/sparse.img').sha256 = '0'.repeat(64))],
  ['attribute', (file) => (file('/home/ada/notes.md').xattrs = { 'user.mime_type': '00' })],
  ['no attribute', (file) => delete file('/home/ada/data').xattrs],
  ['missing file', (file, files) => files.splice(files.indexOf(file('/home/ada/latest')), 1)],
  ['further file', (file, files) => files.push({ ...file('/home/ada/latest'), path: '/home/ada/later' })],
];

test('a comparison with a truth that was changed fails, whatever was changed', async () => {
  await withImages([samplePath], async (g) => {
    await g.mount('/dev/sda2', '/');
    const options = { except: (path: string) => path !== '/' && elsewhere(path), statvfs: false };
    const truth = committedTruth('sample');
    await compareTree(g, truth, options);
    for (const [what, lie] of lies) {
      const files: Changing[] = structuredClone([...truth.files.values()]);
      const file = (path: string) => {
        const found = files.find((one) => one.path === path);
        assert.ok(found, `the truth has no ${path}`);
        return found;
      };
      lie(file, files);
      await assert.rejects(
        compareTree(g, { ...truth, files: byPath(files) }, options),
        /difference|expected/i,
        what,
      );
    }
  });
});
