/** What is free of a filesystem: zeroed, given back, overwritten; what is in use stays. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Guestfs } from '../../../src/guestfs/index.js';
import { checkExt } from '../../fs/ext/check.js';
import { needs } from '../../support/tools.js';
import { scratchPath } from '../support.js';

const secret = 'a secret that was removed ';
const kept = 'what is kept stays '.repeat(5000);

/** An image with a file that is kept and one that was removed; `work` sees it mounted on `/`. */
async function withRemains(
  options: { type?: string; features?: string; discard?: 'enable' },
  work: (g: Guestfs, path: string) => Promise<void>,
): Promise<string> {
  const path = scratchPath('remains.img');
  writeFileSync(path, '');
  truncateSync(path, 48 * 2 ** 20);
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(path, { format: 'raw', ...(options.discard !== undefined && { discard: options.discard }) });
  await g.launch();
  await g.mkfs(options.type ?? 'ext4', '/dev/sda', { features: options.features ?? '' });
  await g.mount('/dev/sda', '/');
  await g.write('/kept', kept);
  await g.write('/removed', secret.repeat(40_000));
  await g.rm('/removed');
  await g.sync();
  assert.ok(readFileSync(path).includes(secret));
  await work(g, path);
  return path;
}

async function checkKept(path: string): Promise<void> {
  checkExt(path);
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(path, { format: 'raw', readonly: true });
  await g.launch();
  await g.mountRo('/dev/sda', '/');
  assert.equal(await g.cat('/kept'), kept);
}

for (const features of ['', '^metadata_csum', 'bigalloc', '^flex_bg,^has_journal,^64bit'])
  test(`zerofree: the blocks of removed files are zero (${features})`, needs('e2fsck'), async () => {
    const path = await withRemains({ features }, async (g) => {
      await assert.rejects(g.zerofree('/dev/sda'), /in use/);
      await g.umountAll();
      await g.zerofree('/dev/sda');
    });
    assert.ok(!readFileSync(path).includes(secret));
    await checkKept(path);
  });

test('zero_free_space: what is free while it is mounted', needs('e2fsck'), async () => {
  const path = await withRemains({ type: 'ext3' }, async (g) => {
    await g.mkdir('/d');
    await g.zeroFreeSpace('/d');
    await assert.rejects(g.zeroFreeSpace('/missing'), { code: 'ENOENT' });
    await assert.rejects(g.zeroFreeSpace('/kept'), { code: 'ENOTDIR' });
    await g.write('/after', 'written afterwards');
    assert.equal(await g.cat('/after'), 'written afterwards');
  });
  assert.ok(!readFileSync(path).includes(secret));
  await checkKept(path);
});

test('fstrim: a drive with `discard` gets holes, within what is asked for', needs('e2fsck'), async () => {
  const path = await withRemains({ discard: 'enable' }, async (g, image) => {
    const full = statSync(image).blocks;
    await g.fstrim('/', { offset: 47 * 2 ** 20 });
    assert.ok(readFileSync(image).includes(secret));
    await g.fstrim('/', { minimumfreeextent: 64 * 2 ** 20 });
    assert.ok(readFileSync(image).includes(secret));
    await g.fstrim('/');
    assert.ok(!readFileSync(image).includes(secret));
    assert.ok(statSync(image).blocks < full);
    await assert.rejects(g.fstrim('/', { offset: -1 }), /negative/);
  });
  await checkKept(path);
  const other = await withRemains({}, (g) => g.fstrim('/'));
  assert.ok(readFileSync(other).includes(secret), 'a drive without `discard` keeps its bytes');
});

test('scrub_file and scrub_freespace overwrite what they say', needs('e2fsck'), async () => {
  const path = await withRemains({}, async (g, image) => {
    await g.write('/other', 'also secret '.repeat(10_000));
    await g.sync();
    assert.ok(readFileSync(image).includes('also secret '));
    await g.scrubFile('/other');
    assert.equal(await g.exists('/other'), false);
    await g.sync();
    assert.ok(!readFileSync(image).includes('also secret '));
    await g.touch('/empty');
    await assert.rejects(g.scrubFile('/empty'), /is empty/);
    await assert.rejects(g.scrubFile('/missing'), { code: 'ENOENT' });
    await assert.rejects(g.scrubFreespace('/empty'), { code: 'EEXIST' });
    await g.scrubFreespace('/scrub');
    assert.equal(await g.exists('/scrub'), false);
  });
  assert.ok(!readFileSync(path).includes(secret));
  await checkKept(path);
});
