/** What a session does with XFS beyond files: its geometry, its size, and a log on another drive. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { scratchPath } from './support.js';

const mebibyte = 2 ** 20;

function file(name: string, size: number): string {
  const path = scratchPath(name);
  writeFileSync(path, '');
  truncateSync(path, size);
  return path;
}

function mkfs(...args: string[]): void {
  execFileSync('mkfs.xfs', ['-q', '-f', ...args], {
    env: toolEnvironment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

async function launched(...drives: string[]): Promise<Guestfs> {
  const g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  for (const drive of drives) g.addDrive(drive, { readonly: true, format: 'raw' });
  await g.launch();
  return g;
}

test(
  'the geometry of a device, and of a path on it, is as xfs_info prints it',
  needs('mkfs.xfs', 'xfs_info'),
  async () => {
    const image = file('geometry.img', 400 * mebibyte);
    mkfs(
      '-L',
      'a label',
      '-m',
      'uuid=a1f2c3d4-0006-4e5f-8a9b-00c0ffee0000',
      '-b',
      'size=1024',
      '-d',
      'agcount=5',
      image,
    );
    await using g = await launched(image);
    const printed = execFileSync('xfs_info', [image], { env: toolEnvironment, encoding: 'utf8' });
    const number = (pattern: RegExp): number => Number(pattern.exec(printed)?.[1]);
    const info = await g.xfsInfo('/dev/sda');
    assert.equal(info.xfsMntpoint, '/dev/sda');
    assert.equal(info.xfsAgcount, 5);
    assert.equal(info.xfsAgsize, number(/agsize=(\d+) blks/));
    assert.equal(info.xfsDatablocks, number(/bsize=1024 +blocks=(\d+), imaxpct/));
    assert.equal(info.xfsLogblocks, number(/blocks=(\d+), version=2/));
    assert.equal(info.xfsLogname, 'internal log');
    assert.equal(info.xfsRtname, 'none');
    assert.equal(info.xfsDirversion, 2);
    assert.equal(await g.vfsMinimumSize('/dev/sda'), 400 * mebibyte);
    assert.equal(await g.vfsLabel('/dev/sda'), 'a label');
    assert.equal(await g.vfsUuid('/dev/sda'), 'a1f2c3d4-0006-4e5f-8a9b-00c0ffee0000');
    await g.mountRo('/dev/sda', '/');
    assert.deepEqual(await g.xfsInfo('/'), info);
    const more = await g.xfsInfo2('/');
    assert.equal(more.get('meta-data.crc'), '1');
    assert.equal(more.get('meta-data.agsize'), `${info.xfsAgsize} blks`);
    await assert.rejects(g.xfsInfo('/none'), { code: 'ENOENT' });
  },
);

test(
  'a log on another drive is found by its UUID; without it, norecovery reads',
  needs('mkfs.xfs'),
  async () => {
    const image = file('data.img', 400 * mebibyte);
    const log = file('log.img', 70 * mebibyte);
    mkfs('-l', `logdev=${log},size=64m`, image);
    {
      await using g = await launched(image, log);
      assert.equal(await g.vfsType('/dev/sdb'), 'xfs_external_log');
      await g.mountRo('/dev/sda', '/');
      assert.deepEqual(await g.ls('/'), []);
    }
    await using g = await launched(image);
    await assert.rejects(g.mountRo('/dev/sda', '/'), { code: 'EINVAL', message: /log is on another disk/ });
    await g.mountOptions('ro,norecovery', '/dev/sda', '/');
    assert.deepEqual(await g.ls('/'), []);
  },
);
