/** Sessions of `auto` with the real appliance: what was before the hand-over is there after it, and nothing stays. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { BackendConfig } from '../../src/api/index.js';
import { startEngine } from '../../src/engine/index.js';
import { autoStarter } from '../../src/guestfs/auto/auto-backend.js';
import { findBackend } from '../../src/guestfs/backends.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { testing } from '../../src/guestfs/testing.js';
import { assertAllGone, assertNothingLeft, type Place, place, real } from '../appliance/support.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { copyShell } from '../support/guest-shell.js';
import { leftLayer } from '../support/layers.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { rejectsWith } from './fake.js';

const sample = 'samples/debian.qcow2';
const mebibyte = 2 ** 20;

/**
 * A handle on `auto`, not launched, whose files are in a place; the appliance is kept in the cache that all share.
 * `change`: of what the engine starts with.
 */
function autoHandle(
  t: TestContext,
  where: Place,
  settings: readonly string[] = [],
  change?: (config: BackendConfig) => BackendConfig,
): { g: Guestfs; told: string[]; quits: string[] } {
  const startBackend = autoStarter({
    startEngine: (config, ...rest) => startEngine(change?.(config) ?? config, ...rest),
    startDirect: findBackend('direct'),
    checkDirect: async () => {},
  });
  const g = new Guestfs({
    environment: false,
    stderr: null,
    ...(change === undefined ? {} : { [testing]: { startBackend } }),
  });
  t.after(() => g.close().catch(() => {}));
  g.setTmpdir(where.tmp);
  g.setBackendSettings(['force_tcg', ...settings]);
  const told: string[] = [];
  const quits: string[] = [];
  g.on('library', (message) => {
    if (message.startsWith('starting the appliance')) told.push(message);
  });
  g.on('subprocessQuit', () => quits.push(g.state));
  return { g, told, quits };
}

function blank(path: string, sizeInBytes: number): void {
  writeFileSync(path, '');
  truncateSync(path, sizeInBytes);
}

const xfsTools = needs('mkfs.xfs', 'ldd');

/** The tree of a directory as the prototype file of mkfs.xfs has it. */
function prototype(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap(({ name }) => {
    const path = join(directory, name);
    return statSync(path).isDirectory()
      ? [`${name} d--755 0 0`, ...prototype(path), '$']
      : [`${name} ---755 0 0 ${path}`];
  });
}

/** A drive with a small Debian on XFS, which has a shell. */
function xfsSystem({ directory }: Place): string {
  const [drive, tree, prototypeFile] = ['xfs.raw', 'tree', 'prototype'].map((name) => join(directory, name));
  assert.ok(drive && tree && prototypeFile);
  copyShell(tree);
  for (const name of ['etc', 'usr', 'var']) mkdirSync(join(tree, name), { recursive: true });
  const files = {
    'etc/os-release': 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian"\n',
    'etc/debian_version': '12.1\n',
    'etc/fstab': '/dev/sda / xfs defaults 0 0\n',
    'etc/hostname': 'on xfs\n',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(tree, name), text);
  writeFileSync(prototypeFile, ['/none', '0 0', 'd--755 0 0', ...prototype(tree), '$', ''].join('\n'));
  blank(drive, 320 * mebibyte);
  execFileSync('mkfs.xfs', ['-q', '-p', prototypeFile, drive], { env: toolEnvironment, stdio: 'pipe' });
  return drive;
}

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

describe('auto with the real appliance', { ...real, timeout: 600_000 }, () => {
  test('a session that mounts ext4 and reads goes on in the appliance with a command', async (t) => {
    const where = place(t);
    const { g, told, quits } = autoHandle(t, where);
    g.addDrive(sample, { readonly: true });
    await g.launch();
    const [root = ''] = await g.inspectOs();
    await g.mountOptions('ro,noatime', root, '/');
    g.setTrace(false);
    const before = [await g.cat('/etc/hostname'), await g.inspectGetDistro(root), await g.mountpoints()];
    const packages = await g.inspectListApplications2(root);
    assert.deepEqual([g.backend, told], ['embedded', []]);

    // The sample is no guest that runs programs: what the appliance has itself will do.
    assert.match(await g.debug('sh', ['true']).catch(String), /unknown subcommand/);
    assert.match(await g.sfdiskL('/dev/sda'), /^Disk \/dev\/sda/);
    assert.deepEqual([g.backend, told], ['direct', ['starting the appliance: sfdisk_l']]);
    assert.ok(g.getPid() > 0);
    assert.deepEqual(
      [await g.cat('/etc/hostname'), await g.inspectGetDistro(root), await g.mountpoints()],
      before,
    );
    assert.deepEqual(await g.inspectListApplications2(root), packages);
    assert.match(await g.debug('sh', ['grep', '/sysroot', '/proc/mounts']), /\bro,noatime/);
    assert.equal(await g.inspectGetWindowsSystemroot(root).catch(({ code }) => code), 'EINVAL');
    assert.deepEqual(quits, []);
    await g.close();
    await assertAllGone({ ...where, cache: where.tmp });
  });

  test(
    'systems and locked disks that the engine cannot read are found, mounted and read',
    needs('cryptsetup', 'mkfs.erofs'),
    async (t) => {
      const where = place(t);
      const [system, locked] = [join(where.directory, 'system.raw'), join(where.directory, 'locked.raw')];
      blank(locked, 64 * mebibyte);
      const tree = join(where.directory, 'tree');
      for (const directory of ['etc', 'bin', 'usr', 'var'])
        mkdirSync(join(tree, directory), { recursive: true });
      for (const [name, text] of [
        ['os-release', 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian"\n'],
        ['debian_version', '12.1\n'],
        ['fstab', '/dev/sda / erofs defaults 0 0\n'],
        ['hostname', 'elsewhere\n'],
      ] as const)
        writeFileSync(join(tree, 'etc', name), text);
      execFileSync('mkfs.erofs', [system, tree], { env: toolEnvironment, stdio: 'ignore' });
      // Few iterations, as the appliance derives the key without KVM.
      execFileSync(
        'cryptsetup',
        ['luksFormat', '--batch-mode', '--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000', locked, '-'],
        { input: 'secret', env: toolEnvironment },
      );
      {
        const { g } = autoHandle(t, where);
        g.addDrive(locked, { format: 'raw' });
        await g.launch();
        assert.equal(g.backend, 'embedded');
        await g.cryptsetupOpen('/dev/sda', 'secret', 'inside');
        await g.mkfs('ext4', '/dev/mapper/inside');
        await g.mount('/dev/mapper/inside', '/');
        await g.write('/kept', 'behind a lock\n');
        await g.close();
      }
      {
        const { g, told } = autoHandle(t, where);
        g.addDrive(system, { readonly: true });
        await g.launch();
        const roots = await g.inspectOs();
        assert.deepEqual([told, g.backend], [['starting the appliance: erofs on /dev/sda'], 'direct']);
        assert.equal(roots.length, 1);
        const [root = ''] = roots;
        assert.equal(await g.inspectGetHostname(root), 'elsewhere');
        await g.mountRo(root, '/');
        assert.equal(await g.cat('/etc/debian_version'), '12.1\n');
        await g.close();
      }
      {
        const { g, told } = autoHandle(t, where);
        g.addDrive(locked, { readonly: true });
        await g.launch();
        // Without its key, the appliance would see no more.
        await rejectsWith(g.inspectOs(), 'ENOTSUP', /crypto_LUKS/);
        assert.deepEqual([g.backend, told], ['embedded', []]);
        await g.cryptsetupOpen('/dev/sda', 'secret', 'inside', { readonly: true });
        await g.mountRo('/dev/mapper/inside', '/');
        assert.equal(await g.cat('/kept'), 'behind a lock\n');
        assert.deepEqual(told, ['starting the appliance: cryptsetup_open']);
        await g.close();
      }
      await assertAllGone({ ...where, cache: where.tmp });
    },
  );

  test('a session whose root is XFS reads embedded, and goes over with a command', xfsTools, async (t) => {
    const where = place(t);
    const { g, told } = autoHandle(t, where);
    g.addDrive(xfsSystem(where), { readonly: true, format: 'raw' });
    await g.launch();
    const [root = ''] = await g.inspectOs();
    await g.mountRo(root, '/');
    const before = [root, await g.inspectGetDistro(root), await g.cat('/etc/hostname'), await g.find('/')];
    assert.deepEqual(before.slice(0, 3), ['/dev/sda', 'debian', 'on xfs\n']);
    assert.deepEqual([g.backend, told], ['embedded', []]);
    assert.equal(await g.command(['/bin/sh', '-c', 'read name < /etc/hostname && echo "$name"']), 'on xfs\n');
    assert.deepEqual([g.backend, told], ['direct', ['starting the appliance: command']]);
    assert.deepEqual(
      [root, await g.inspectGetDistro(root), await g.cat('/etc/hostname'), await g.find('/')],
      before,
    );
    await g.close();
    await assertAllGone({ ...where, cache: where.tmp });
  });

  test('an array is mounted by the name that only the appliance has for it', async (t) => {
    const where = place(t);
    const members = ['one.raw', 'two.raw'].map((name) => join(where.directory, name));
    for (const path of members) blank(path, 64 * mebibyte);
    {
      const { g } = autoHandle(t, where);
      for (const path of members) g.addDrive(path, { format: 'raw' });
      await g.launch();
      await g.mdCreate('pair', ['/dev/sda', '/dev/sdb'], { level: 'raid1' });
      const [array = ''] = await g.listMdDevices();
      await g.mkfs('ext2', array);
      await g.mount(array, '/');
      await g.write('/kept', 'on both\n');
      await g.close();
    }
    const { g, told } = autoHandle(t, where);
    for (const path of members) g.addDrive(path, { readonly: true, format: 'raw' });
    await g.launch();
    await rejectsWith(g.mountRo('/dev/sda', '/'), 'EINVAL', /linux_raid_member, no filesystem/);
    assert.deepEqual(told, []);
    await g.mountRo('/dev/md127', '/');
    assert.deepEqual(told, ['starting the appliance: linux_raid_member on /dev/sda']);
    assert.equal(await g.cat('/kept'), 'on both\n');
    await g.close();
    await assertAllGone({ ...where, cache: where.tmp });
  });

  test('what was written to a read-only drive is there, and the image unchanged', async (t) => {
    const where = place(t);
    const path = join(where.directory, 'drive.img');
    writeFileSync(path, Buffer.alloc(mebibyte, 'base '));
    const image = sha256(path);
    const layer = await leftLayer(where.directory, { path }, (disk) => {
      disk.write(Buffer.from('written'), 70_000);
      disk.write(Buffer.alloc(2 * 65536), 3 * 65536);
    });
    const { g } = autoHandle(t, where, [], (config) => ({
      ...config,
      drives: config.drives.map((drive) => ({ ...drive, layer })),
    }));
    g.addDrive(path, { readonly: true, format: 'raw' });
    await g.launch();
    const written = await g.checksumDevice('sha256', '/dev/sda');
    assert.notEqual(written, image);
    await g.sfdiskL('/dev/sda');
    assert.equal(g.backend, 'direct');
    assert.equal(await g.checksumDevice('sha256', '/dev/sda'), written);
    assert.equal(Buffer.from(await g.preadDevice('/dev/sda', 7, 70_000)).toString(), 'written');
    await g.pwriteDevice('/dev/sda', Buffer.from('there'), 0);
    assert.equal(Buffer.from(await g.preadDevice('/dev/sda', 5, 0)).toString(), 'there');
    await g.close();
    assert.equal(sha256(path), image);
    await assertAllGone({ ...where, cache: where.tmp });
  });

  test('a session is embedded after a cancelled launch, and gone after one that was killed', async (t) => {
    const where = place(t);
    const path = join(where.directory, 'dirty.img');
    writeFileSync(path, readFixtureBuffer('ext/dirty-journalled.img.gz'));
    const { g, told, quits } = autoHandle(t, where, ['no_snapshot_start']);
    g.addDrive(path, { readonly: true, format: 'raw' });
    await g.launch();
    await g.mount('/dev/sda', '/');
    const files = await g.find('/');
    const written = await g.checksumDevice('sha256', '/dev/sda');
    for (const wait of [0, 400]) {
      const abort = new AbortController();
      const calling = g.sfdiskL('/dev/sda', { signal: abort.signal });
      await delay(wait);
      abort.abort();
      await rejectsWith(calling, 'ECANCELED', /cancelled/);
      assert.equal(g.backend, 'embedded');
      assert.deepEqual(await g.find('/'), files);
      assert.equal(await g.checksumDevice('sha256', '/dev/sda'), written);
      await assertNothingLeft({ ...where, cache: where.tmp });
    }
    const calling = g.sfdiskL('/dev/sda');
    await delay(400);
    await Promise.all([rejectsWith(calling, 'EIO', /before the call was done/), g.killSubprocess()]);
    assert.deepEqual([g.state, g.backend, quits], ['config', undefined, ['config']]);
    await assertNothingLeft({ ...where, cache: where.tmp });
    assert.equal(told.length >= 2, true);
  });
});
