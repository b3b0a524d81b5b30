/** The superblock of a filesystem that is mounted and written is changed as a part of its journal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Disk, MemoryDisk } from '../../../../src/disk/index.js';
import { extDetails, type FileSystem, planTuning } from '../../../../src/fs/index.js';
import { surviveCrashes } from '../../../support/crashes.js';
import { readAll } from '../../../support/gaits.js';
import { needs } from '../../../support/tools.js';
import { openExt } from '../fixture.js';
import { checkImage, makeImage, replayedByE2fsck } from './images.js';

const uuid = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
const facts = { permissions: 0o644, uid: 0, gid: 0, type: 'file' } as const;

function label(disk: Disk): string | undefined {
  const fs = openExt(disk, {});
  const told = extDetails(fs)?.label;
  fs.close();
  return told;
}

function replayed(disk: Disk): Disk {
  openExt(disk, { readonly: false }).close();
  return disk;
}

function make(fs: FileSystem, name: string): void {
  (fs.writer ?? assert.fail(String(fs.whyReadOnly))).create(fs.root, name, facts);
}

for (const kind of ['ext2 1k', 'ext3 2k', 'ext4 seed, orphan file', 'ext4 small groups, 512-byte inodes'])
  test(
    `${kind}: what is set is there at once, and files are made before and behind it`,
    needs('mke2fs', 'e2fsck'),
    () => {
      const disk = new MemoryDisk(makeImage(kind), { writable: true });
      const fs = openExt(disk, { readonly: false });
      make(fs, 'before');
      const time = Math.floor(Date.now() / 1000);
      planTuning(disk, { label: 'first', mounts: 5, lastMounted: '/was/here' }, time, fs)();
      assert.equal(label(disk), 'first', 'a device shows it while it is mounted');
      assert.equal(extDetails(fs)?.superblockFacts().get('Mount count'), '5');
      make(fs, 'between');
      const renewed = kind.startsWith('ext4 small') ? {} : { uuid };
      planTuning(disk, { label: 'second', ...renewed }, time, fs)();
      make(fs, 'behind');
      fs.close();
      const bytes = readAll(disk);
      checkImage(bytes, kind);
      const again = openExt(disk, { readonly: false });
      assert.deepEqual([...again.entries(again.root)].map(({ name }) => name).toSorted(), [
        'before',
        'behind',
        'between',
        'lost+found',
      ]);
      const told = extDetails(again)?.superblockFacts();
      assert.equal(told?.get('Filesystem volume name'), 'second');
      assert.equal(told?.get('Last mounted on'), '/was/here');
      assert.equal(told?.get('Mount count'), '5');
      again.close();
    },
  );

test('what does not fit is refused, and nothing of it is done', needs('mke2fs'), () => {
  const disk = new MemoryDisk(makeImage('ext4 1k'), { writable: true });
  const fs = openExt(disk, { readonly: false });
  assert.throws(() => planTuning(disk, { label: 'x'.repeat(17) }, 0, fs), RangeError);
  assert.throws(() => planTuning(disk, { uuid }, 0, fs), /checksums are made with the old one/);
  assert.throws(() => planTuning(disk, { reservedPercent: 51 }, 0, fs), /not from 0 to 50/);
  assert.equal(extDetails(fs)?.label, '');
  fs.close();
  assert.equal(label(disk), '');
});

test('one that is mounted to be read shows what its disk was given', needs('mke2fs'), () => {
  const disk = new MemoryDisk(makeImage('ext4 1k'), { writable: true });
  const fs = openExt(disk, {});
  planTuning(disk, { label: 'while read' }, 0, fs)();
  assert.equal(extDetails(fs)?.label, 'while read');
  fs.close();
  assert.equal(label(disk), 'while read');
});

const replays: readonly (readonly [kind: string, by: string, most: number, (image: Disk) => Disk])[] = [
  ['ext4 seed, orphan file', 'the engine', 60, replayed],
  ['ext3 2k', 'e2fsck', 6, replayedByE2fsck],
];

for (const [kind, by, most, replay] of replays)
  test(
    `${kind}: a crash leaves the old label or the new one, as ${by} sees it`,
    needs('mke2fs', 'e2fsck'),
    () => {
      surviveCrashes(
        makeImage(kind),
        (disk) => {
          const fs = openExt(disk, { readonly: false });
          disk.mark('', true);
          make(fs, 'before');
          planTuning(disk, { label: 'new', uuid }, 1_700_000_000, fs)();
          disk.mark('new', true);
          make(fs, 'behind');
          fs.close();
          disk.mark('new', true);
        },
        ({ image, allowed }) => {
          const found = label(replay(image)) ?? '';
          assert.ok(allowed.includes(found), `'${found}' is none of ${allowed}`);
        },
        { most, sectorSize: 4096 },
      );
    },
  );
