/** tune2fs, labels and UUIDs by the engine, as dumpe2fs and e2fsck see them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Guestfs } from '../../../src/guestfs/index.js';
import { checkExt } from '../../fs/ext/check.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { scratchPath } from '../support.js';

const uuid = '77777777-2222-3333-4444-555555555555';

async function onNew(
  type: string,
  features: string,
  work: (g: Guestfs, path: string) => Promise<void>,
): Promise<string> {
  const path = scratchPath('tuned.img');
  writeFileSync(path, '');
  truncateSync(path, 32 * 2 ** 20);
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(path, { format: 'raw' });
  await g.launch();
  await g.mkfs(type, '/dev/sda', { features, blocksize: 1024 });
  await work(g, path);
  return path;
}

/** What dumpe2fs says of the superblock at a block, or of the first one. */
function told(path: string, copy?: number): string {
  const where = copy === undefined ? [] : ['-o', `superblock=${copy}`, '-o', 'blocksize=1024'];
  return execFileSync('dumpe2fs', ['-h', ...where, path], {
    env: toolEnvironment,
    encoding: 'utf8',
    stdio: 'pipe',
  });
}

test(
  'every option of tune2fs is in the superblock and in its copies',
  needs('e2fsck', 'dumpe2fs'),
  async () => {
    const path = await onNew('ext4', '', (g) =>
      g.tune2fs('/dev/sda', {
        maxmountcount: 30,
        mountcount: 4,
        errorbehavior: 'remount-ro',
        intervalbetweenchecks: 86_400,
        reservedblockspercentage: 3,
        lastmounteddirectory: '/was/here',
        user: 5,
        group: 6,
      }),
    );
    for (const text of [told(path), told(path, 8193)])
      for (const line of [
        /Maximum mount count: +30\n/,
        /Mount count: +4\n/,
        /Errors behavior: +Remount read-only\n/,
        /Check interval: +86400 /,
        /Reserved block count: +983\n/,
        /Last mounted on: +\/was\/here\n/,
        /Reserved blocks uid: +5 /,
        /Reserved blocks gid: +6 /,
      ])
        assert.match(text, line);
    checkExt(path);
  },
);

test(
  'labels and UUIDs are set, and a UUID that checksums are made with is refused',
  needs('e2fsck'),
  async () => {
    const path = await onNew('ext3', '', async (g) => {
      await g.setLabel('/dev/sda', 'a label');
      await g.setUuid('/dev/sda', uuid);
      assert.equal(await g.vfsLabel('/dev/sda'), 'a label');
      assert.equal(await g.vfsUuid('/dev/sda'), uuid);
      await g.setUuidRandom('/dev/sda');
      assert.notEqual(await g.vfsUuid('/dev/sda'), uuid);
      await assert.rejects(g.setE2label('/dev/sda', 'x'.repeat(17)), /limited to 16 bytes/);
      await assert.rejects(g.setE2uuid('/dev/sda', 'nonsense'), /no UUID/);
    });
    checkExt(path);
    const summed = await onNew('ext4', '', async (g) => {
      await g.setE2label('/dev/sda', 'summed');
      await assert.rejects(g.setUuid('/dev/sda', uuid), /checksums are made with the old one/);
    });
    checkExt(summed);
    const seeded = await onNew('ext4', 'metadata_csum_seed', (g) => g.setUuid('/dev/sda', uuid));
    checkExt(seeded);
  },
);

test('a filesystem that is mounted is changed through it', needs('e2fsck', 'dumpe2fs'), async () => {
  const path = await onNew('ext3', '', async (g) => {
    await g.mount('/dev/sda', '/');
    await g.write('/before', 'before');
    await g.setLabel('/dev/sda', 'mounted');
    await g.setUuid('/dev/sda', uuid);
    await g.tune2fs('/dev/sda', { maxmountcount: 33 });
    assert.equal(await g.vfsLabel('/dev/sda'), 'mounted');
    assert.equal(await g.getE2uuid('/dev/sda'), uuid);
    assert.equal((await g.tune2fsL('/dev/sda')).get('Maximum mount count'), '33');
    await g.write('/behind', 'behind');
    assert.equal(await g.cat('/before'), 'before');
    await g.umountAll();
    assert.equal(await g.findfsLabel('mounted'), '/dev/sda');
  });
  for (const text of [told(path), told(path, 8193)]) assert.match(text, /volume name: +mounted\n/);
  checkExt(path);
});

test('what is refused leaves every byte as it was', async () => {
  let before: Uint8Array | undefined;
  const path = await onNew('ext2', '', async (g, file) => {
    await g.sync();
    before = readFileSync(file);
    await assert.rejects(g.tune2fs('/dev/sda', { errorbehavior: 'nonsense' }), /invalid errorbehavior/);
    await assert.rejects(g.tune2fs('/dev/sda', { mountcount: -1 }), /cannot be negative/);
    await assert.rejects(g.tune2fs('/dev/sda', { reservedblockspercentage: 51 }), /not from 0 to 50/);
    await assert.rejects(g.tune2fs('/dev/sda', { reservedblockscount: 20_000 }), /not from 0 to/);
  });
  assert.deepEqual(readFileSync(path), before);
});

test('fsck of a new filesystem finds nothing, and one that is marked is left to others', async () => {
  const path = await onNew('ext4', '', async (g, file) => {
    await g.sync();
    const before = readFileSync(file);
    assert.equal(await g.fsck('ext4', '/dev/sda'), 0);
    assert.deepEqual(readFileSync(file), before);
    await assert.rejects(g.fsck('vfat', '/dev/sda'), /fsck: not supported: vfat/);
    await g.mount('/dev/sda', '/');
    await assert.rejects(g.fsck('ext4', '/dev/sda'), /in use/);
  });
  const marked = readFileSync(path);
  marked[1024 + 0x3a] = 3;
  writeFileSync(path, marked);
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(path, { format: 'raw', readonly: true });
  await g.launch();
  await assert.rejects(g.fsck('ext4', '/dev/sda'), /checking an ext filesystem: not supported/);
});

test('resize2fs makes a filesystem larger, which keeps its files', needs('e2fsck', 'debugfs'), async () => {
  const path = await onNew('ext4', '', async (g) => {
    await g.mount('/dev/sda', '/');
    await g.write('/kept', 'kept while it grows');
    await assert.rejects(g.resize2fs('/dev/sda'), /in use/);
    await g.umountAll();
  });
  truncateSync(path, 90 * 2 ** 20);
  // It was made in the second in which it was mounted.
  execFileSync('debugfs', ['-w', '-R', 'set_super_value lastcheck 20200101', path], {
    stdio: 'ignore',
    env: toolEnvironment,
  });
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(path, { format: 'raw' });
  await g.launch();
  await assert.rejects(g.resize2fs('/dev/sda'), /was not checked since it was mounted/);
  await g.e2fsck('/dev/sda', { forceno: true });
  await assert.rejects(g.resize2fs('/dev/sda'), /was not checked since it was mounted/);
  await assert.rejects(g.e2fsck('/dev/sda', { forceno: true, correct: true }), /only one of the options/);
  await g.e2fsckF('/dev/sda');
  await assert.rejects(g.resize2fsSize('/dev/sda', 1000), /multiple of 1024/);
  await assert.rejects(g.resize2fsSize('/dev/sda', 16 * 2 ** 20), /shrinking/);
  await g.resize2fsSize('/dev/sda', 60 * 2 ** 20);
  await g.resize2fs('/dev/sda');
  await g.resize2fs('/dev/sda');
  await g.mount('/dev/sda', '/');
  assert.equal(await g.cat('/kept'), 'kept while it grows');
  assert.ok((await g.statvfs('/')).blocks > 70 * 1024);
  await g.umountAll();
  checkExt(path);
});
