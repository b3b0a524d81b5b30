/** Operations on filesystems with a journal, cut at every place: each happened, or nothing of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Disk, MemoryDisk } from '../../../../src/disk/index.js';
import type { FileSystem } from '../../../../src/fs/index.js';
import { surviveCrashes } from '../../../support/crashes.js';
import { readAll } from '../../../support/gaits.js';
import { noise, Random } from '../../../support/random.js';
import type { RecordingDisk } from '../../../support/recording-disk.js';
import { scratchDirectory } from '../../../support/scratch.js';
import { tellFiles } from '../../../support/tell.js';
import { needs, toolEnvironment } from '../../../support/tools.js';
import { openExt } from '../fixture.js';
import { makeImage } from './images.js';

const directory = scratchDirectory();
const campaign = Number(process.env.GUESTFS_TEST_CRASHES ?? 0);
const seed = Number(process.env.GUESTFS_TEST_SEED ?? 1);

/** Kinds of images.ts, and what a disk does not tear of them: a superblock with a checksum must not be torn. */
const journalled: readonly (readonly [kind: string, sectorSize: number])[] = [
  ['ext3 2k', 512],
  ['ext4 1k', 4096],
  ['ext4 seed, orphan file', 4096],
];

function tree(fs: FileSystem): string {
  return [...tellFiles(fs)].map((file) => JSON.stringify(file)).join('\n');
}

/** Makes, fills, links, renames and removes, and notes what is there after each. */
function operate(disk: RecordingDisk, states: Map<string, string>, operations: number): void {
  let time = 1_700_000_000;
  const now = (): { seconds: number; nanoseconds: number } => ({ seconds: ++time, nanoseconds: 5 });
  const fs = openExt(disk, { readonly: false, now });
  const writer = fs.writer ?? assert.fail(String(fs.whyReadOnly));
  const random = new Random(seed);
  const facts = { permissions: 0o644, uid: 1, gid: 2 } as const;
  let count = 0;
  const note = (isDurable: boolean): void => {
    const name = `${count++}`;
    states.set(name, tree(fs));
    disk.mark(name, isDurable);
  };
  note(true);
  const sub = writer.create(fs.root, 'sub', { type: 'directory', ...facts });
  note(false);
  const names: [parent: number, name: string][] = [];
  for (let step = 0; step < operations; step++) {
    const parent = random.below(2) === 0 ? fs.root : sub;
    const choice = random.below(10);
    const at = random.below(Math.max(1, names.length));
    const known = names[at];
    if (choice < 4 || known === undefined) {
      const name = `f${step}${'x'.repeat(random.below(60))}`;
      const inode = writer.create(parent, name, { type: 'file', ...facts });
      names.push([parent, name]);
      note(false);
      const contents = writer.contents(inode);
      contents.write(noise(1 + random.below(9000), step), 0);
      note(false);
      contents.close();
    } else if (choice < 6) {
      writer.unlink(...known);
      names.splice(at, 1);
    } else if (choice < 8) {
      const name = random.below(2) === 0 ? `r${step}` : (random.pick(names)[1] as string);
      const other = names.findIndex(([where, each]) => where === parent && each === name);
      if (other === at) continue;
      writer.rename(known[0], known[1], parent, name);
      names[at] = [parent, name];
      if (other >= 0) names.splice(other, 1);
    } else if (choice < 9) {
      const inode = fs.lookup(...known) ?? assert.fail(known[1]);
      writer.setXattr(inode, 'user.a', noise(random.below(300), step));
    } else {
      const inode = fs.lookup(...known) ?? assert.fail(known[1]);
      writer.link(inode, parent, `l${step}`);
      names.push([parent, `l${step}`]);
    }
    note(false);
    if (random.below(6) === 0) {
      writer.sync();
      note(true);
    }
  }
  fs.close();
  disk.mark(`${count - 1}`, true);
}

function checkTree(disk: Disk, states: ReadonlyMap<string, string>, allowed: readonly string[]): void {
  const fs = openExt(disk, { readonly: false });
  const found = tree(fs);
  fs.close();
  if (!allowed.some((name) => states.get(name) === found)) {
    const first = (states.get(allowed[0] ?? '') ?? '').split('\n');
    const other = found.split('\n').filter((line) => !first.includes(line));
    assert.fail(
      `the tree is none of ${allowed.length} (${allowed[0]} to ${allowed.at(-1)}): ${other.slice(0, 2)}`,
    );
  }
}

/** Totals in the superblock are no part of a transaction, and orphans are for whoever mounts. */
const harmless =
  /^(?:Pass [1-5]: |.*: \d+\/\d+ files |Free (?:blocks|inodes) count wrong|Fix\? no|.*WARNING: Filesystem still has errors|$)/;

function replayedByE2fsck(image: Disk): Disk {
  const file = join(directory, 'crashed');
  writeFileSync(file, readAll(image));
  const run = (...parameters: string[]): string[] =>
    spawnSync('e2fsck', [...parameters, file], { env: toolEnvironment, encoding: 'utf8' }).stdout.split('\n');
  const replay = run('-y', '-E', 'journal_only').join('\n');
  assert.doesNotMatch(replay, /error|corrupt|checksum|aborted/i);
  assert.deepEqual(
    run('-fn').filter((line) => !harmless.test(line)),
    [],
  );
  return new MemoryDisk(new Uint8Array(readFileSync(file)), { writable: true });
}

for (const [kind, sectorSize] of journalled) {
  test(
    `${kind}: each operation happened or did not, whatever the crash (seed ${seed})`,
    needs('mke2fs'),
    (t) => {
      const states = new Map<string, string>();
      const operations = campaign > 0 ? 300 : 40;
      const { cuts, recording } = surviveCrashes(
        makeImage(kind),
        (disk) => operate(disk, states, operations),
        ({ image, allowed }) => checkTree(image, states, allowed),
        { most: campaign || 80, sectorSize, seed },
      );
      t.diagnostic(`${cuts} cuts of ${recording.log.length} writes and barriers`);
    },
  );

  test(
    `${kind}: e2fsck replays what a crash left, and comes to the same (seed ${seed})`,
    needs('mke2fs', 'e2fsck'),
    (t) => {
      const states = new Map<string, string>();
      const { cuts } = surviveCrashes(
        makeImage(kind),
        (disk) => operate(disk, states, campaign > 0 ? 120 : 30),
        ({ image, allowed }) => checkTree(replayedByE2fsck(image), states, allowed),
        { most: campaign || 6, sectorSize, seed: seed + 1 },
      );
      t.diagnostic(`${cuts} cuts`);
    },
  );
}
