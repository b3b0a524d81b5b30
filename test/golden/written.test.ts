/**
 * What the engine has written, as Linux reads it: a kernel that is a process of this machine mounts one of each kind of
 * filesystem that we make, and tells the same tree, bytes and attributes as the engine does afterwards.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Guestfs } from '../../src/guestfs/index.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { parseTruth, type Truth } from '../support/truth.js';
import { compareTree, type MountComparison } from './compare.js';

const root = resolve(import.meta.dirname, '../../..');
const MiB = 2 ** 20;
const needed = needs('linux.uml', 'vgchange', 'setfattr', 'qemu-img');

interface Kind {
  readonly name: string;
  readonly type: 'ext2' | 'ext3' | 'ext4' | 'vfat';
  readonly sizeInMiB: number;
  /** Makes the filesystem on `/dev/sda`, and gives the device that it is on. */
  readonly make: (g: Guestfs) => Promise<string>;
  /** Where Linux finds it. */
  readonly where?: string;
  readonly format?: 'qcow2';
}

const ext = (type: Kind['type'], name: string, options: object): Kind => ({
  name,
  type,
  sizeInMiB: 48,
  async make(g) {
    await g.mke2fs('/dev/sda', { fstype: type, ...options });
    return '/dev/sda';
  },
});

const fat = (name: string, sizeInMiB: number): Kind => ({
  name,
  type: 'vfat',
  sizeInMiB,
  async make(g) {
    await g.mkfs('vfat', '/dev/sda');
    return '/dev/sda';
  },
});

const kinds: readonly Kind[] = [
  ext('ext2', 'ext2', { blocksize: 1024 }),
  ext('ext3', 'ext3', { blocksize: 4096 }),
  ext('ext4', 'ext4', {}),
  ext('ext4', 'ext4-1k', { blocksize: 1024 }),
  fat('fat12', 8),
  fat('fat16', 48),
  fat('fat32', 600),
  {
    name: 'gpt',
    type: 'ext4',
    sizeInMiB: 64,
    where: '2',
    async make(g) {
      await g.partInit('/dev/sda', 'gpt');
      await g.partAdd('/dev/sda', 'p', 2048, 16383);
      await g.partAdd('/dev/sda', 'p', 16384, -64);
      await g.mkfs('ext4', '/dev/sda2');
      return '/dev/sda2';
    },
  },
  {
    name: 'mbr-logical',
    type: 'ext4',
    sizeInMiB: 64,
    where: '5',
    async make(g) {
      await g.partInit('/dev/sda', 'mbr');
      await g.partAdd('/dev/sda', 'e', 2048, -1);
      await g.partAdd('/dev/sda', 'l', 4096, -1);
      await g.mkfs('ext4', '/dev/sda5');
      return '/dev/sda5';
    },
  },
  {
    name: 'lvm',
    type: 'ext4',
    sizeInMiB: 96,
    where: 'written/root',
    async make(g) {
      await g.pvcreate('/dev/sda');
      await g.vgcreate('written', ['/dev/sda']);
      await g.lvcreate('other', 'written', 8);
      await g.lvcreate('root', 'written', 32);
      await g.lvresize('/dev/written/root', 60);
      await g.mkfs('ext4', '/dev/written/root');
      return '/dev/written/root';
    },
  },
  { ...ext('ext4', 'qcow2', {}), format: 'qcow2' },
];

/** Bytes that are not the same twice, and always the same. */
function noise(length: number, seed: string): Buffer {
  const parts: Buffer[] = [];
  for (let made = 0, round = 0; made < length; made += 32, round++)
    parts.push(createHash('sha256').update(`${seed} ${round}`).digest());
  return Buffer.concat(parts).subarray(0, length);
}

const large = noise(3 * MiB + 1234, 'large');

async function fill(g: Guestfs, isExt: boolean): Promise<void> {
  await g.mkdirP('/deep/er/and/deeper');
  await g.touch('/empty');
  await g.write('/deep/small', 'a few bytes\n');
  await g.write('/large', large);
  await g.pwrite('/large', Buffer.from('in the middle'), 2 * MiB - 5);
  await g.truncateSize('/deep/small', 5000);
  await g.mkdir('/many');
  for (let i = 0; i < 400; i++) await g.write(`/many/a name that is long enough ${i}`, `${i}`);
  for (let i = 0; i < 400; i += 3) await g.rm(`/many/a name that is long enough ${i}`);
  await g.mv('/many/a name that is long enough 1', '/deep/moved');
  await g.utimens('/deep/moved', 1_700_000_000, 0, 1_600_000_000, 0);
  if (!isExt) return;
  await g.write('/sparse', 'x');
  await g.truncateSize('/sparse', 9 * MiB);
  await g.pwrite('/sparse', Buffer.from('far'), 7 * MiB);
  await g.fallocate64('/reserved', MiB);
  await g.lnS('../large', '/deep/link');
  await g.lnS('x'.repeat(200), '/deep/long-link');
  await g.ln('/large', '/deep/er/again');
  await g.chmod(0o4711, '/deep/small');
  await g.chown(1000, 2000, '/deep/small');
  await g.mknodC(0o620, 5, 1, '/console');
  await g.mkfifo(0o600, '/pipe');
  await g.setxattr('user.short', 'value', 5, '/deep/small');
  await g.setxattr('trusted.long', 'y'.repeat(700), 700, '/large');
  await g.aclSetFile('/deep', 'default', 'u::rwx,u:1000:rx,g::rx,m::rwx,o::-');
  await g.write('/deep/inherits', '');
}

async function makeImage(path: string, kind: Kind): Promise<void> {
  await using g = new Guestfs({ backend: 'embedded', environment: false, stderr: null });
  await g.diskCreate(path, kind.format ?? 'raw', kind.sizeInMiB * MiB);
  g.addDrive(path, { format: kind.format ?? 'raw' });
  await g.launch();
  const device = await kind.make(g);
  await g.mount(device, '/');
  await fill(g, kind.type !== 'vfat');
  await g.umountAll();
}

describe('Linux reads what was written', needed, () => {
  // Not below the directory for temporary files, where that kernel has its own.
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache/written-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  before(async () => {
    const specs: string[] = [];
    for (const kind of kinds) {
      const file = `${kind.name}.${kind.format ?? 'img'}`;
      await makeImage(join(folder, file), kind);
      if (kind.format === 'qcow2') {
        const args = ['convert', '-f', 'qcow2', '-O', 'raw', file, `${kind.name}.img`];
        assert.equal(spawnSync('qemu-img', args, { cwd: folder }).status, 0);
      }
      // As in libguestfs's appliance, one driver reads all three.
      const driver = kind.type === 'vfat' ? 'vfat' : 'ext4';
      specs.push(`${kind.name}.img:${kind.where ?? 0}:${driver}:${kind.name}`);
    }
    const { status, stderr } = spawnSync(join(root, 'scripts/images/user-truth.sh'), [folder, ...specs], {
      encoding: 'utf8',
      env: toolEnvironment,
      timeout: 120_000,
    });
    assert.equal(status, 0, stderr);
  });

  for (const kind of kinds)
    test(`${kind.name}: tree, bytes and attributes`, async () => {
      const { name, type, format } = kind;
      const told: Truth = parseTruth(
        gunzipSync(readFileSync(join(folder, `${name}.truth.jsonl.gz`))).toString('utf8'),
      );
      const patched = Buffer.from(large);
      patched.write('in the middle', 2 * MiB - 5, 'latin1');
      assert.equal(told.files.get('/large')?.sha256, createHash('sha256').update(patched).digest('hex'));
      assert.equal([...told.files.keys()].filter((path) => path.startsWith('/many/')).length, 266 - 1);
      await using g = new Guestfs({ backend: 'embedded', environment: false, stderr: null });
      g.addDrive(join(folder, `${name}.${format ?? 'img'}`), { format: format ?? 'raw', readonly: true });
      await g.launch();
      const [device = ''] = [...(await g.listFilesystems())].find(([, found]) => found === type) ?? [];
      await g.mountRo(device, '/');
      const options: MountComparison = type === 'vfat' ? { without: ['ino'] } : {};
      await compareTree(g, told, options);
    });
});
