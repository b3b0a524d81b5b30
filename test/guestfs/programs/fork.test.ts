/** A second handle that is what the first one is, read-only. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { actionNames, actions, camelCase } from '../../../src/api/index.js';
import { Guestfs } from '../../../src/guestfs/index.js';
import { Settings } from '../../../src/guestfs/settings.js';
import { directHandle, needsAppliance } from '../../support/appliance.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs } from '../../support/tools.js';
import { makeSample, openSample, type Sample, sampleTools } from '../fs/sample.js';

describe('a fork of a handle', needs(...sampleTools), () => {
  const directory = scratchDirectory();
  let sample: Sample;
  before(() => {
    sample = makeSample(directory);
  });

  test('has the drives, mounts and settings of the first, and only reads', async () => {
    await using g = new Guestfs({ environment: false, stderr: null, backend: 'embedded' });
    g.setIdentifier('first');
    g.addDrive(sample.image, { format: 'raw', label: 'sample' });
    await g.launch();
    await g.mkmountpoint('/below');
    await g.mountVfs('noatime,rw', 'ext4', '/dev/disk/guestfs/sample', '/below');
    await g.umask(0o77);
    const before = readFileSync(sample.image);
    await using second = await g.fork();
    assert.equal(second.state, 'ready');
    assert.equal(second.getIdentifier(), 'first');
    assert.deepEqual(await second.mountpoints(), await g.mountpoints());
    assert.equal(await second.getUmask(), 0o77);
    assert.equal(await second.cat('/below/a.txt'), 'hello\n');
    assert.equal((await second.statvfs('/below')).flag & 1, 1, 'the mount is read-only');
    assert.match(second.debugDrives()[0] ?? '', /readonly/);
    assert.doesNotMatch(g.debugDrives()[0] ?? '', /readonly/);
    assert.deepEqual(readFileSync(sample.image), before, 'nothing was written to the image');
  });

  test('knows what the first has inspected, without inspecting', async () => {
    const image = join(directory, 'guest.img');
    const bytes = gunzipSync(readFileSync('test/fixtures/guests/debian.img.gz'));
    writeFileSync(image, bytes);
    await using g = new Guestfs({ environment: false, stderr: null, backend: 'embedded' });
    g.addDrive(image, { readonly: true, format: 'raw' });
    await g.launch();
    const [root = ''] = await g.inspectOs();
    const answers = async (handle: Guestfs): Promise<unknown[]> => {
      const getters = actionNames.filter(
        (name) => /^inspect_(?:get|is)_/.test(name) && actions[name].args.length === 1,
      );
      return await Promise.all(
        getters.map(async (name) => {
          const method = camelCase(name) as 'inspectGetType';
          return await handle[method](root).catch((error: Error) => error.message);
        }),
      );
    };
    const known = await answers(g);
    const unread = await g.unreadable();
    // Meanwhile it becomes another system.
    const at = bytes.indexOf('12.4\n');
    bytes.write('13.4\n', at);
    writeFileSync(image, bytes);
    await using second = await g.fork();
    assert.deepEqual(await answers(second), known);
    assert.deepEqual(await second.unreadable(), unread);
    await using third = await second.fork();
    assert.deepEqual(await answers(third), known);
    await third.inspectOs();
    assert.notDeepEqual(await answers(third), known, 'an inspection of its own would tell something else');
  });

  test('is independent: its calls run beside those of the first, and closing either leaves the other', async () => {
    const g = await openSample(sample.image);
    const second = await g.fork();
    const third = await second.fork();
    const slow = g.debug('progress', ['60']);
    const cut = assert.rejects(slow, { code: 'ECANCELED' });
    assert.equal(await second.cat('/a.txt'), 'hello\n');
    assert.equal(g.state, 'busy');
    await second.umount('/');
    assert.equal(await third.cat('/a.txt'), 'hello\n');
    await g.close();
    await cut;
    assert.equal(await third.cat('/a.txt'), 'hello\n');
    await second.close();
    assert.equal(await third.fs.readFile('/dir/b.txt', 'utf8'), 'grün\n');
    await third.close();
  });

  test('says why there is none', async () => {
    await using g = new Guestfs({ environment: false, stderr: null, backend: 'embedded' });
    g.addDriveScratch(4096);
    await assert.rejects(g.fork(), { code: 'EBADFD', action: 'fork' });
    await g.launch();
    await assert.rejects(g.fork(), { code: 'ENOTSUP', message: /^fork: drive 0 is a scratch drive/ });
    assert.equal(g.state, 'ready');
    await using other = await openSample(sample.image);
    await assert.rejects(other.fork({ signal: AbortSignal.abort() }), { code: 'ECANCELED' });
    assert.equal(await other.cat('/a.txt'), 'hello\n');
  });

  test('takes over every setting there is', () => {
    const one = new Settings();
    one.setPath('/p');
    one.setHv('/hv');
    one.setMemsize(999);
    one.setSmp(3);
    one.setBackend('direct');
    one.setBackendSettings(['a=b']);
    one.addHvParam('-x', 'y');
    one.setTmpdir(directory);
    one.setCachedir(directory);
    one.setRuntimeDir(directory);
    one.network = true;
    one.identifier = 'id';
    const two = new Settings();
    two.takeOver(one);
    const getters = Object.entries(Object.getOwnPropertyDescriptors(Settings.prototype)).filter(
      ([, { get }]) => get,
    );
    assert.ok(getters.length >= 10);
    for (const [name] of getters) assert.deepEqual(Reflect.get(two, name), Reflect.get(one, name), name);
    assert.deepEqual({ ...two }, { ...one });
    const third = new Settings();
    third.setEnvironmentTmpdir(directory);
    two.takeOver(third);
    assert.equal(two.tmpdir, directory);
    assert.equal(two.memsize, new Settings().memsize);
  });
});

test(
  'a fork of a handle on the appliance has the same mounts in a second appliance',
  needsAppliance(),
  async () => {
    const { image } = makeSample(scratchDirectory());
    await using g = await openSample(image, directHandle());
    await using second = await g.fork();
    assert.equal(await second.cat('/a.txt'), 'hello\n');
    assert.notEqual(second.getPid(), g.getPid());
  },
);
