/**
 * The filesystems with which e2fsprogs tests its e2fsck, damaged and odd in some two hundred ways: what the kernel of
 * libguestfs's appliance mounts is mounted here and shows the same files, and what that kernel refuses is refused.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type Disk, MemoryDisk, OverlayDisk } from '../../src/disk/index.js';
import { type FileSystem, fileSystems, type InodeStat } from '../../src/fs/index.js';
import { MountTable, walkTree } from '../../src/vfs/index.js';
import { differences } from './e2fsprogs-differences.js';

const root = resolve(import.meta.dirname, '../../..');
const source = join(root, '.cache/source/e2fsprogs/tests');

/** A file as the kernel tells it; of one whose inode the kernel refuses, the path alone. */
type ToldFile = [
  path: string,
  mode?: string,
  nlink?: number,
  uid?: number,
  gid?: number,
  size?: number,
  ino?: number,
  blocks?: number,
  mtime?: string,
  targetOrSum?: string,
];

interface ToldImage {
  /** Empty where the kernel mounts it, else mount's words. */
  readonly noload: string;
  readonly ro: string;
  readonly rw: string;
  readonly log: readonly string[];
  /** Missing of images with more than two thousand files, over which the kernel was not waited for. */
  readonly files?: readonly ToldFile[];
}

const truth = JSON.parse(
  gunzipSync(readFileSync(join(root, 'test/golden/truth/e2fsprogs.json.gz'))).toString(),
) as Readonly<Record<string, ToldImage>>;

const skip = existsSync(source) ? {} : { skip: `no images in ${source}: run scripts/images/real.sh` };

function openImage(
  name: string,
  options: { readonly?: boolean; options?: Record<string, true> },
): FileSystem {
  const bytes = gunzipSync(readFileSync(join(source, name, 'image.gz')));
  const whole = Buffer.alloc(Math.ceil(bytes.length / 512) * 512);
  bytes.copy(whole);
  const driver = fileSystems.find((one) => one.name === 'ext');
  const overlay = (disk: Disk): Disk => new OverlayDisk(disk);
  const fileSystem = driver?.open?.(new MemoryDisk(whole), { overlay, ...options });
  assert.ok(fileSystem);
  return fileSystem;
}

const letters: Readonly<Record<number, string>> = {
  1: 'p',
  2: 'c',
  4: 'd',
  6: 'b',
  8: 'f',
  10: 'l',
  12: 's',
};

function stated(stat: InodeStat): (string | number)[] {
  const { mode, linkCount, uid, gid, sizeInBytes, inode, blockCount512, modified } = stat;
  const time = `${modified.seconds}.${String(modified.nanoseconds).padStart(9, '0')}0`;
  const type = `${letters[mode >>> 12]} ${(mode & 0o7777).toString(8)}`;
  return [type, linkCount, uid, gid, sizeInBytes, inode, blockCount512, time];
}

function sum(disk: Disk): string {
  const bytes = new Uint8Array(disk.size);
  disk.read(bytes, 0);
  return createHash('sha256').update(bytes).digest('hex');
}

/** What is otherwise here than there: `more /path`, `less /path`, `other /path: …`. */
function compare(fileSystem: FileSystem, told: readonly ToldFile[]): string[] {
  const found: string[] = [];
  const table = new MountTable(() => {});
  table.mount(fileSystem, { source: '/dev/sda', mountpoint: '/' });
  const theirs = new Map(told.map((file) => [file[0], file]));
  for (const { path, place } of walkTree(table.tree, table.tree.root)) {
    const file = theirs.get(`/${path}`);
    if (file === undefined) {
      found.push(`more /${path}`);
      continue;
    }
    theirs.delete(`/${path}`);
    if (file.length === 1) continue;
    const [, ...facts] = file;
    try {
      const ours = stated(fileSystem.stat(place.inode));
      if (facts[8] !== undefined && facts[0]?.startsWith('l')) ours.push(fileSystem.readlink(place.inode));
      else if (facts[8] !== undefined) ours.push(sum(fileSystem.data(place.inode)));
      if (JSON.stringify(ours) !== JSON.stringify(facts))
        found.push(`other /${path}: ${JSON.stringify(ours)}, told as ${JSON.stringify(facts)}`);
    } catch (thrown) {
      found.push(`other /${path}: ${(thrown as Error).message}`);
    }
  }
  for (const path of theirs.keys()) found.push(`less ${path}`);
  return found;
}

/** How a way of mounting went: nothing where it did. */
function refusal(name: string, options: Parameters<typeof openImage>[1]): string {
  try {
    openImage(name, options).close();
    return '';
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

test('all images of the source package are in the truth', skip, () => {
  const images = readdirSync(source).filter((name) => existsSync(join(source, name, 'image.gz')));
  assert.deepEqual(Object.keys(truth).sort(), images.sort());
  assert.ok(Object.values(truth).filter(({ ro }) => ro === '').length > 150);
});

const ways = {
  ro: { readonly: true },
  noload: { readonly: true, options: { noload: true } },
  rw: { readonly: false },
} as const;

for (const [name, told] of Object.entries(truth)) {
  test(`${name} is mounted, or refused, and shows what the kernel shows`, skip, () => {
    const found: string[] = [];
    for (const [way, options] of Object.entries(ways)) {
      const theirs = told[way as keyof typeof ways];
      // Of what blkid calls ext2, the kernel refuses the option itself.
      if (way === 'noload' && theirs !== '') continue;
      const ours = refusal(name, options);
      if ((theirs === '') !== (ours === ''))
        found.push(`${way}: ${ours || 'mounted'}, by the kernel: ${theirs || 'mounted'}`);
      else if (way === 'ro' && ours === '' && told.files !== undefined)
        found.push(...compare(openImage(name, options), told.files));
    }
    const expected = differences[name];
    const unexpected = found.filter((one) => !expected?.patterns.some((pattern) => pattern.test(one)));
    assert.deepEqual(unexpected.slice(0, 20), [], `${unexpected.length} differences; ${told.log.join('\n')}`);
    const stale = expected?.patterns.filter((pattern) => !found.some((one) => pattern.test(one))) ?? [];
    assert.deepEqual(stale.map(String), [], 'differences that are none any more');
  });
}

test('every difference is of an image that there is', () => {
  assert.deepEqual(
    Object.keys(differences).filter((name) => truth[name] === undefined),
    [],
  );
});
