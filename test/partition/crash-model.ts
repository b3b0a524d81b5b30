/** Changes of partition tables on a disk that loses power, and what may be read then: the old table or the new one. */
import assert from 'node:assert/strict';
import { type Disk, MemoryDisk } from '../../src/disk/index.js';
import type { GptEditor } from '../../src/partition/editing/gpt-editor.js';
import type { MbrEditor } from '../../src/partition/editing/mbr-editor.js';
import { editPartitionTable, newPartitionTable, readPartitionTable } from '../../src/partition/index.js';
import { countCrashes } from '../support/crashes.js';
import '../support/platform.js';
import type { Crash, RecordingDisk } from '../support/recording-disk.js';

export const size = 1024 * 1024;

/** What a table says. Which partitions are active is several sectors of an MBR, and may be half done. */
function summary(disk: Disk): string {
  const table = readPartitionTable(disk, 512);
  return JSON.stringify(
    [
      table?.scheme,
      table?.diskGuid,
      table?.scheme === 'msdos' && table.warnings,
      table?.partitions.map(({ bootable, ...rest }) => rest),
    ],
    (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  );
}

function bytesOf(disk: Disk): Uint8Array {
  const bytes = new Uint8Array(disk.size);
  disk.read(bytes, 0);
  return bytes;
}

type Work<E> = (editor: E) => void;
type Editor = GptEditor | MbrEditor;

function prepared(scheme: Editor['scheme'], work: Work<never>): Uint8Array {
  const bytes = new Uint8Array(size);
  const disk = new MemoryDisk(bytes, { writable: true });
  const editor = newPartitionTable(disk, 512, scheme);
  work(editor as never);
  editor.write();
  return bytes;
}

export const gpt = prepared('gpt', (editor: GptEditor) => {
  editor.add({ kind: 'primary', first: 64, last: 127, name: 'one' });
  editor.add({ kind: 'primary', first: 128, last: 255, name: 'two' });
});
export const mbr = prepared('msdos', (editor: MbrEditor) => {
  editor.add({ kind: 'primary', first: 64, last: 127 });
  editor.add({ kind: 'extended', first: 128, last: 1999 });
  for (const first of [130, 300, 500, 700]) editor.add({ kind: 'logical', first, last: first + 99 });
});

/** Runs the change of a table, and looks at every cut. `list`: how a foreign tool tells of it. */
export function survives(
  before: Uint8Array,
  work: (disk: Disk) => void,
  list?: (bytes: Uint8Array) => string,
  withoutBarriers: readonly number[] = [],
): { readonly wrong: readonly string[]; readonly barriers: number } {
  const after = new MemoryDisk(before.slice(), { writable: true });
  let allowed: Set<string> | undefined;
  let listed: Set<string> | undefined;
  const check = ({ image, allowed: marks }: Crash): void => {
    const now = summary(image);
    assert.ok(allowed?.has(now), now);
    if (!marks.includes('begun')) assert.equal(now, summary(after), 'what was written is gone again');
    if (list !== undefined && listed !== undefined) {
      const told = list(bytesOf(image));
      assert.ok(listed.has(told), told);
    }
  };
  const run = (disk: RecordingDisk): void => {
    disk.mark('begun', true);
    work(disk);
    disk.mark('done', true);
    after.write(bytesOf(disk), 0);
    allowed = new Set([summary(new MemoryDisk(before)), summary(after)]);
    if (list !== undefined) listed = new Set([list(before), list(bytesOf(after))]);
  };
  const { wrong, recording } = countCrashes(before, run, check, { most: 40, withoutBarriers });
  return { wrong, barriers: recording.barriers };
}

export const onGpt = (work: Work<GptEditor>) => (disk: Disk) => {
  const editor = editPartitionTable(disk, 512, 'gpt') as GptEditor;
  work(editor);
  editor.write();
};
export const onMbr = (work: Work<MbrEditor>) => (disk: Disk) => {
  const editor = editPartitionTable(disk, 512, 'msdos') as MbrEditor;
  work(editor);
  editor.write();
};

export const gptChanges: Readonly<Record<string, Work<GptEditor>>> = {
  'a partition added': (editor) => void editor.add({ kind: 'primary', first: 300, last: 400 }),
  'a partition removed': (editor) => editor.remove(1),
  'a partition resized': (editor) => editor.resize(2, 1999),
  'a name': (editor) => editor.setName(2, 'renamed'),
  'the disk’s GUID': (editor) => editor.setDiskGuid(undefined),
};
export const mbrChanges: Readonly<Record<string, Work<MbrEditor>>> = {
  'a primary partition added': (editor) => void editor.add({ kind: 'primary', first: 2, last: 60 }),
  'a logical partition added': (editor) => void editor.add({ kind: 'logical', first: 802, last: 900 }),
  'the first logical partition removed': (editor) => editor.remove(5),
  'a logical partition in the middle removed': (editor) => editor.remove(6),
  'the last logical partition removed': (editor) => editor.remove(8),
  'a logical partition resized': (editor) => editor.resize(8, 1500),
  'the extended partition removed': (editor) => editor.remove(2),
  'another partition active': (editor) => editor.setBootable(6, true),
};

/** What a disk may hold before it gets another table. */
export const replaced = [
  ['an MBR', mbr],
  ['a GPT', gpt],
  ['nothing', new Uint8Array(size)],
] as const;

export const makeTable =
  (scheme: Editor['scheme']) =>
  (disk: Disk): void => {
    const editor = newPartitionTable(disk, 512, scheme);
    editor.add({ kind: 'primary', first: 128, last: 1900 });
    editor.write();
  };
