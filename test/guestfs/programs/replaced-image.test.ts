/** An image that is made anew takes the place of the old one in one step, once it is whole. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Guestfs, makeFilesystem } from '../../../src/guestfs/index.js';
import { scratchDirectory } from '../../support/scratch.js';

const quiet = { environment: false, stderr: null } as const;
const directory = scratchDirectory();

async function namesIn(image: string): Promise<string[]> {
  await using g = new Guestfs({ ...quiet, backend: 'embedded' });
  g.addDriveRo(image);
  await g.launch();
  await g.mountRo('/dev/sda', '/');
  return (await g.find('/')).filter((name) => name !== 'lost+found');
}

test('an image among its own sources is read before it is replaced', async () => {
  const source = join(directory, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'words');
  const image = join(source, 'root.img');
  await makeFilesystem(source, image, quiet);
  assert.deepEqual(await namesIn(image), ['file']);
  chmodSync(image, 0o600);
  await makeFilesystem(source, image, quiet);
  assert.deepEqual(await namesIn(image), ['file', 'root.img']);
  assert.equal(statSync(image).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(source).sort(), ['file', 'root.img'], 'nothing is left beside it');
});

test('what fails leaves the image that is there, and a link to it', async () => {
  const [image, link] = [join(directory, 'kept.img'), join(directory, 'link.img')];
  writeFileSync(image, 'an older image');
  symlinkSync('kept.img', link);
  const source = join(directory, 'other');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'words'.repeat(100_000));
  const stop = new AbortController();
  const stopped = makeFilesystem(source, link, {
    ...quiet,
    freeInBytes: 2 ** 30,
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  stop.abort();
  await assert.rejects(stopped, { code: 'ECANCELED' });
  assert.equal(readFileSync(image, 'latin1'), 'an older image');
  await makeFilesystem(source, link, quiet);
  assert.deepEqual(await namesIn(image), ['file']);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith('.')),
    [],
  );
});
