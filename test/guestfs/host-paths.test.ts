/** `file:` URLs where paths of the host are taken. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Guestfs, GuestfsPool, openImage } from '../../src/guestfs/index.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs } from '../support/tools.js';
import { fakeHandle, imageFile } from './fake.js';
import { makeSample, sampleTools } from './fs/sample.js';

const directory = scratchDirectory();

test('a file: URL is a path of the host wherever one is taken', needs(...sampleTools), async () => {
  const sample = makeSample(directory);
  const image = join(directory, 'with space #1 é.img');
  copyFileSync(sample.image, image);
  const at = (name: string): URL => pathToFileURL(join(directory, name));
  const options = { environment: false, stderr: null, backend: 'embedded' } as const;
  await using g = new Guestfs(options);
  g.addDriveRo(pathToFileURL(image));
  assert.match(g.debugDrives()[0] ?? '', /with space #1 é\.img readonly/);
  g.setTmpdir(pathToFileURL(directory));
  assert.equal(g.getTmpdir(), directory);
  await g.launch();
  await g.mountRo('/dev/sda', '/');
  await g.download('/a.txt', at('downloaded #2'));
  assert.equal(readFileSync(join(directory, 'downloaded #2'), 'utf8'), 'hello\n');
  mkdirSync(join(directory, 'copies'));
  await g.copyOut('/dir/b.txt', at('copies'));
  assert.equal(readFileSync(join(directory, 'copies/b.txt'), 'utf8'), 'grün\n');
  assert.equal(await g.diskFormat(pathToFileURL(image)), 'raw');
  await g.diskCreate(at('new.qcow2'), 'qcow2', 1024 * 1024);
  assert.equal(await g.diskFormat(at('new.qcow2')), 'qcow2');
  await using opened = await openImage(pathToFileURL(image), options);
  assert.equal(await opened.fs.readFile('/a.txt', 'utf8'), 'hello\n');
  await using several = await openImage([pathToFileURL(image), at('new.qcow2')], options);
  assert.equal((await several.g.listDevices()).length, 2);
  await using pool = new GuestfsPool(pathToFileURL(image), { ...options, max: 1 });
  assert.equal(await pool.use((one) => one.cat('/a.txt')), 'hello\n');
});

test('a backend gets a path', async () => {
  const { g, backend } = await launchedFake();
  const sent = g.upload(pathToFileURL('/host/file'), '/to');
  assert.deepEqual(backend().last.args, ['/host/file', '/to']);
  backend().last.resolve();
  await sent;
  await g.close();
});

test('other URLs, and URLs where no path of the host is taken, are errors of the program', async () => {
  const g = new Guestfs({ environment: false, stderr: null });
  assert.throws(() => g.addDrive(new URL('https://host/disk.img')), {
    name: 'TypeError',
    message:
      "addDrive: argument 1 (filename) is 'https://host/disk.img', which is no file: URL of a path of this host",
  });
  await assert.rejects(g.download('/a', new URL('data:,x')), TypeError);
  await assert.rejects(g.cat(pathToFileURL('/etc/hosts') as never), {
    name: 'TypeError',
    message: 'cat: argument 1 (path) must be a string, not a URL',
  });
  await g.close();
});

async function launchedFake() {
  const fake = fakeHandle();
  fake.g.addDrive(imageFile());
  await fake.g.launch();
  return { g: fake.g, backend: () => fake.backend };
}
