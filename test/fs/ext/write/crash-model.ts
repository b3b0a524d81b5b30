/**
 * Random operations on a filesystem with a journal, cut at every place, and the trees that may be there after a crash: of
 * a time from the last sync on, each operation whole or not at all.
 */
import assert from 'node:assert/strict';
import type { Disk } from '../../../../src/disk/index.js';
import type { FileSystem } from '../../../../src/fs/index.js';
import { type CrashCount, countCrashes } from '../../../support/crashes.js';
import { noise, Random } from '../../../support/random.js';
import type { RecordingDisk } from '../../../support/recording-disk.js';
import { tellFiles } from '../../../support/tell.js';
import { openExt } from '../fixture.js';
import { makeImage } from './images.js';

/** Kinds of images.ts, and what a disk does not tear of them: a superblock with a checksum must not be torn. */
export const journalled: readonly (readonly [kind: string, sectorSize: number])[] = [
  ['ext3 2k', 512],
  ['ext4 1k', 4096],
  ['ext4 seed, orphan file', 4096],
];

export interface CrashedWork {
  readonly seed: number;
  readonly operations: number;
  /** Crashes that are looked at, about. */
  readonly most: number;
}

/** `replay`: by whom the log is replayed before, if not by us. */
export function crashOperations(
  [kind, sectorSize]: (typeof journalled)[number],
  work: CrashedWork,
  replay: (image: Disk) => Disk = (own) => own,
): CrashCount {
  const states = new Map<string, string>();
  return countCrashes(
    makeImage(kind),
    (disk) => operate(disk, states, work),
    ({ image, allowed }) => checkTree(replay(image), states, allowed),
    { most: work.most, sectorSize, seed: work.seed },
  );
}

function tree(fs: FileSystem): string {
  return [...tellFiles(fs)].map((file) => JSON.stringify(file)).join('\n');
}

/** Makes, fills, links, renames and removes, and notes what is there after each. */
function operate(disk: RecordingDisk, states: Map<string, string>, { seed, operations }: CrashedWork): void {
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
