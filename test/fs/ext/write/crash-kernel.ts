/** What a crash left, as Linux mounts it: it replays the log, and what it then shows is one of the states that may be. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MemoryDisk } from '../../../../src/disk/index.js';
import type { FileSystem } from '../../../../src/fs/index.js';
import { type KernelTree, kernelFolder, mountByKernel } from '../../../golden/user-kernel.js';
import type { CrashCount } from '../../../support/crashes.js';
import { readAll } from '../../../support/gaits.js';
import { sha256OfDisk, walkFiles } from '../../../support/tell.js';
import { regularType, typeOf } from '../../../support/truth.js';
import { openExt } from '../fixture.js';
import { type CrashedKind, type CrashedWork, crashOperations } from './crash-model.js';
import { checkImage } from './images.js';

/** Of each path what the kernel tells too. */
function factsOf(fs: FileSystem): Pick<KernelTree, 'facts' | 'sums'> {
  const facts = new Map<string, string>();
  const sums = new Map<string, string>();
  for (const { path, inode } of walkFiles(fs)) {
    const { mode, linkCount, uid, gid, sizeInBytes } = fs.stat(inode);
    facts.set(path, `${mode.toString(16)} ${linkCount} ${uid} ${gid} ${sizeInBytes}`);
    if (typeOf({ mode }) === regularType) sums.set(path, sha256OfDisk(fs.data(inode)));
  }
  return { facts, sums };
}

const sorted = (map: ReadonlyMap<string, string>): [string, string][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** That we show of what the kernel left what it showed itself, and that e2fsck finds nothing. */
function checkTree(tree: KernelTree, bytes: Uint8Array): void {
  assert.equal(tree.refused, undefined);
  assert.equal(tree.complaints, '');
  const fs = openExt(new MemoryDisk(bytes));
  const { facts, sums } = factsOf(fs);
  fs.close();
  assert.deepEqual(sorted(tree.facts), sorted(facts));
  assert.deepEqual(sorted(tree.sums), sorted(sums));
  checkImage(bytes, 'after the kernel');
}

/** As {@link crashOperations}, of several filesystems: how many crashes there were, and which are wrong. */
export function crashesByKernel(
  cases: readonly (readonly [kind: CrashedKind, work: CrashedWork])[],
): Pick<CrashCount, 'cuts' | 'wrong'> {
  const { folder, remove } = kernelFolder();
  try {
    const files: string[] = [];
    // What each crash left is put by. The same crashes come again, to be compared with what the kernel made of them.
    for (const [kind, work] of cases)
      crashOperations(kind, work, (disk) => {
        const file = `${files.length}.img`;
        writeFileSync(join(folder, file), readAll(disk));
        files.push(file);
        return disk;
      });
    const left = [...mountByKernel(folder, files)];
    const counts = cases.map(([kind, work]) =>
      crashOperations(kind, work, () => {
        const [file, tree] = left.shift() ?? assert.fail();
        const bytes = new Uint8Array(readFileSync(join(folder, file)));
        checkTree(tree, bytes);
        return new MemoryDisk(bytes, { writable: true });
      }),
    );
    const cuts = counts.reduce((sum, each) => sum + each.cuts, 0);
    return { cuts, wrong: counts.flatMap(({ wrong }) => wrong) };
  } finally {
    remove();
  }
}
