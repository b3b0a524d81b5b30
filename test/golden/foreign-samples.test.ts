/** What other projects made: DiscUtils's disks, go-rpmdb's packages; foreign tools say what is in them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { sourceOf } from '../../src/base/index.js';
import { decodeRpmHeader, rpmPackages } from '../../src/formats/index.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { factsDirectory } from '../support/facts.js';
import { scratchDirectory } from '../support/scratch.js';
import { sha256 } from '../support/tell.js';
import { needs, toolEnvironment } from '../support/tools.js';

const samples = join(factsDirectory, 'samples');
const scratch = scratchDirectory();
const sample = (name: string, ...tools: string[]): { skip?: string } =>
  existsSync(join(samples, name)) ? needs(...tools) : { skip: `${samples}/${name} is not there` };
const run = (tool: string, ...words: string[]): string =>
  execFileSync(tool, words, { env: toolEnvironment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** The image of a name, unpacked. */
function unpack(name: string): string {
  const path = join(scratch, name);
  writeFileSync(path, gunzipSync(readFileSync(join(samples, `${name}.gz`))));
  return path;
}

async function launched(image: string): Promise<Guestfs> {
  const g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(image, { readonly: true });
  await g.launch();
  return g;
}

/** The first partition as a file, by qemu-img. */
async function partitionOf(g: Guestfs, image: string): Promise<string> {
  const [{ partStart, partSize } = { partStart: 0, partSize: 0 }] = await g.partList('/dev/sda');
  const words = `driver=raw,offset=${partStart},size=${partSize},file.driver=vhdx,file.file.driver=file,file.file.filename=${image}`;
  run('qemu-img', 'convert', '--image-opts', words, '-O', 'raw', `${image}.part`);
  return `${image}.part`;
}

test(
  "DiscUtils's XFS has the names and numbers that xfs_db lists, in directories of every form",
  sample('xfs5.vhdx.gz', 'qemu-img', 'xfs_db'),
  async () => {
    const image = unpack('xfs5.vhdx');
    await using g = await launched(image);
    await g.mountRo('/dev/sda1', '/');
    const { paths: text, columns } = await g.walk('/');
    const paths = text.split('\0').slice(0, -1);
    const ours = paths.map((path, index) => `${columns.inode[index]} /${path}`);
    const directories = paths.filter((_, index) => ((columns.mode[index] ?? 0) & 0o170000) === 0o040000);
    const part = await partitionOf(g, image);
    const theirs = ['', ...directories].flatMap((directory) =>
      [
        ...run('xfs_db', '-r', '-c', `ls /${directory}`, part).matchAll(
          /^\d+\s+(\d+)\s+\S+\s+0x\S+\s+\d+\s+(.*?) \(good\)$/gm,
        ),
      ]
        .filter(([, , name]) => name !== '.' && name !== '..')
        .map(([, inode, name = '']) => `${inode} ${join('/', directory, name)}`),
    );
    assert.ok(theirs.length > 4000);
    assert.deepEqual(ours.sort(), theirs.sort());
  },
);

test(
  "DiscUtils's btrfs has the files that btrfs restore brings, compressed ones and those of a subvolume too",
  sample('btrfs.vhdx.gz', 'qemu-img', 'btrfs'),
  async () => {
    const image = unpack('btrfs.vhdx');
    await using g = await launched(image);
    await g.mountRo('/dev/sda1', '/');
    const restored = join(scratch, 'restored');
    mkdirSync(restored);
    run('btrfs', 'restore', '-s', '-S', await partitionOf(g, image), restored);
    const files = readdirSync(restored, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(restored, path)).isFile())
      .sort();
    assert.ok(files.length > 5);
    assert.deepEqual((await g.find('/')).filter((path) => files.includes(path)).sort(), files);
    for (const path of files)
      assert.equal(await g.checksum('sha256', `/${path}`), sha256(readFileSync(join(restored, path))), path);
  },
);

test("DiscUtils's volumes of LVM have what they are named for", sample('lvm2.vhdx.gz'), async () => {
  await using g = await launched(unpack('lvm2.vhdx'));
  assert.deepEqual(Object.fromEntries(await g.listFilesystems()), {
    '/dev/test/vol01': 'ext3',
    '/dev/test/fat': 'vfat',
    '/dev/test/ntfs': 'ntfs',
  });
  for (const device of ['/dev/test/vol01', '/dev/test/fat', '/dev/test/ntfs']) {
    await g.mountRo(device, '/');
    assert.ok((await g.statvfs('/')).blocks > 0, device);
    await g.umount('/');
  }
  assert.deepEqual(await g.unreadable(), []);
});

/** The packages of a database, as `name-version-release`. */
function packagesOf(name: string): string[] {
  const listed: string[] = [];
  for (const { header } of rpmPackages(sourceOf(readFileSync(join(samples, name))), () => undefined)) {
    const told = decodeRpmHeader(header());
    listed.push(`${told.name}-${told.version}-${told.release}`);
  }
  return listed.sort();
}

test("go-rpmdb's database of Berkeley DB has its one package", sample('Packages.bdb'), () => {
  assert.deepEqual(packagesOf('Packages.bdb'), ['libuuid-2.32.1-42.el8_8']);
});

test("go-rpmdb's database of SLE 15 is read to the end", sample('Packages.db'), () => {
  const packages = packagesOf('Packages.db');
  for (const name of [
    'glibc-2.31-9.3.2',
    'bash-4.4-19.6.1',
    'sles-release-15.3-55.4.1',
    'rpm-ndb-4.14.3-40.1',
  ])
    assert.ok(packages.includes(name), name);
  assert.equal(packages.length, 35);
  assert.equal(new Set(packages).size, packages.length);
});
