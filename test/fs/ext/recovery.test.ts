/** Recovery survives a crash at any moment: what is then on the disk is recovered again, to the same tree. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { MemoryDisk } from '../../../src/disk/index.js';
import { readAll } from '../../support/gaits.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import {
  crashRecovery,
  dirtyImages,
  externals,
  fastCommits,
  journals,
  readDirty,
  readDirtyImage,
  recoverOn,
  treeOf,
} from './recovery.js';

/**
 * Crashes that are looked at of each filesystem. With GUESTFS_TEST_CRASHES more, and of the images of scripts/images
 * too.
 */
const campaign = Number(process.env.GUESTFS_TEST_CRASHES ?? 0);
const most = campaign || 50;

for (const path of [...journals, ...externals, ...fastCommits])
  test(`${path}: no crash in a recovery changes what it comes to`, (t) => {
    const { cuts, wrong, recording } = crashRecovery(readDirty(path), { most });
    assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${cuts} cuts`);
    assert.ok(cuts > 0, 'nothing was written');
    t.diagnostic(`${cuts} cuts of ${recording.log.length} writes and barriers`);
  });

if (campaign > 0)
  for (const path of dirtyImages())
    test(`${path}: no crash in a recovery changes what it comes to`, (t) => {
      const { cuts, wrong, recording } = crashRecovery(readDirtyImage(path), { most });
      assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${cuts} cuts`);
      t.diagnostic(`${cuts} cuts of ${recording.log.length} writes and barriers`);
    });

const plain = ['ext/journal-32bit.img.gz', 'ext/journal-64bit.img.gz', 'ext/dirty-journalled.img.gz'];

test('with a barrier taken out, crashes are found that change what a recovery comes to', (t) => {
  for (const path of [...plain, ...externals, ...fastCommits]) {
    const dirty = readDirty(path);
    const { recording } = crashRecovery(dirty, { most: 1 });
    const found: number[] = [];
    for (let barrier = 0; barrier < recording.barriers; barrier++) {
      const { wrong } = crashRecovery(dirty, { most: 150, withoutBarriers: [barrier] });
      found.push(wrong.length);
    }
    t.diagnostic(`${path}: wrong without barrier 0, 1, …: ${found}`);
    // The last one makes the end durable, without which the recovery is done again.
    if (found.length === 3)
      assert.ok(
        found.slice(0, 2).every((wrong) => wrong > 0),
        `${path}: ${found}`,
      );
    // What these logs hold was in its place already. The barriers behind the new beginning, the blocks, the commit
    // block and their places all count.
    else assert.ok(found.length === 7 && found.slice(1, 5).every((wrong) => wrong > 0), `${path}: ${found}`);
  }
});

test('a superblock that is torn is all that a disk of small sectors can lose', () => {
  const dirty = readDirty('ext/journal-checksum-3.img.gz');
  const { wrong, recording } = crashRecovery(dirty, { most: 500, sectorSize: 512 });
  assert.ok(wrong.length > 0);
  for (const text of wrong) {
    const torn = /^end \d+ torn (?<at>\d+) (?:first|last): ext4 superblock: has a bad checksum/.exec(text);
    const entry = recording.log[Number(torn?.groups?.at)];
    assert.ok(entry?.kind === 'write' && entry.offset === 1024, text);
  }
});

const directory = scratchDirectory();
const run = promisify(execFile);

/** What a tool says; its exit status is no error. */
async function said(tool: string, ...parameters: string[]): Promise<string> {
  try {
    return (await run(tool, parameters, { env: toolEnvironment })).stdout;
  } catch (thrown) {
    return (thrown as { stdout: string }).stdout;
  }
}

/** What e2fsck finds in a filesystem that it only looks at. */
async function problemsIn(file: string): Promise<string[]> {
  const report = await said('e2fsck', '-fn', file);
  return report.split('\n').filter((line) => !/^(?:Pass [1-5]: |.*: \d+\/\d+ files |$)/.test(line));
}

/** Totals in the superblock are no part of a transaction: e2fsck leaves them after a replay as they were. */
const isTotal = (line: string): boolean =>
  /^(?:Free (?:blocks|inodes) count wrong|Fix\? no|.*WARNING: Filesystem still has errors)/.test(line);

test('e2fsck takes what a crash leaves, and comes to the same', needs('e2fsck'), async () => {
  for (const path of [...plain, 'ext/journal-checksum-3.img.gz']) {
    const dirty = readDirty(path);
    const expected = treeOf(dirty, new MemoryDisk(dirty.bytes.slice(), { writable: true }));
    const { recording } = crashRecovery(dirty, { most: 1 });
    const file = join(directory, 'image');
    for (const crash of recording.crashes({ seed: 7, most: campaign ? 100 : 3 })) {
      const title = `${path}, ${crash.name}`;
      writeFileSync(file, readAll(crash.image));
      await said('e2fsck', '-y', '-E', 'journal_only', file);
      const problems = await problemsIn(file);
      assert.deepEqual(
        problems.filter((line) => !isTotal(line)),
        [],
        title,
      );
      const recovered = new MemoryDisk(new Uint8Array(readFileSync(file)), { writable: true });
      if (treeOf(dirty, recovered) !== expected) assert.fail(`${title}: the tree is another`);
    }
  }
});

test('e2fsck has nothing to mend in what was recovered', needs('e2fsck'), async () => {
  // Orphans stay for whoever may delete them: a mount that writes, and e2fsck.
  for (const path of [...journals.filter((name) => !name.includes('orphan')), ...fastCommits]) {
    const dirty = readDirty(path);
    const disk = new MemoryDisk(dirty.bytes.slice(), { writable: true });
    recoverOn(dirty, disk).close();
    const file = join(directory, 'recovered');
    writeFileSync(file, readAll(disk));
    assert.deepEqual(await problemsIn(file), [], path);
  }
});
