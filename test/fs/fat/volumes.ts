/** FAT volumes that are written to, and what fsck.fat and mtools say of them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MemoryDisk } from '../../../src/disk/index.js';
import type { FileSystem, InodeNumber } from '../../../src/fs/driver.js';
import { openFat } from '../../../src/fs/fat/filesystem.js';
import type { FileSystemWriter } from '../../../src/fs/writer.js';
import { scratchDirectory } from '../../support/scratch.js';
import { toolEnvironment } from '../../support/tools.js';

const directory = scratchDirectory();
const imagePath = join(directory, 'fat.img');

export const fatTools = ['mkfs.fat', 'fsck.fat', 'mcopy'];

/** A time that FAT can store, in the same second on every run. */
const now = () => ({ seconds: 1_600_000_000, nanoseconds: 0 });

/** mtools shows names in the character set of the locale. */
const env = { ...toolEnvironment, LC_ALL: 'C.UTF-8' };

export function run(program: string, ...args: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { env, encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

/** A new volume by mkfs.fat. */
export function makeVolume(kibibytes: number, ...options: string[]): Uint8Array {
  rmSync(imagePath, { force: true });
  const { status, text } = run('mkfs.fat', '-C', '-i', '12345678', ...options, imagePath, String(kibibytes));
  assert.equal(status, 0, text);
  return new Uint8Array(readFileSync(imagePath));
}

export type Written = FileSystem & { readonly writer: FileSystemWriter };

export function openWritable(bytes: Uint8Array, options: Record<string, string | true> = {}): Written {
  const fileSystem = openFat(new MemoryDisk(bytes, { writable: true }), {
    overlay: (disk) => disk,
    readonly: false,
    now,
    options,
  });
  assert.ok(fileSystem.writer, fileSystem.whyReadOnly?.message);
  return fileSystem as Written;
}

export function openReadonly(bytes: Uint8Array): FileSystem {
  return openFat(new MemoryDisk(bytes), { overlay: (disk) => disk });
}

/** fsck.fat finds nothing at all. */
export function checkVolume(bytes: Uint8Array): void {
  writeFileSync(imagePath, bytes);
  const { status, text } = run('fsck.fat', '-n', imagePath);
  assert.equal(status, 0, text);
  assert.match(text, /^fsck\.fat [^\n]*\n[^\n]*: \d+ files, \d+\/\d+ clusters\n$/, text);
}

/** The volume after fsck.fat has repaired it. */
export function repaired(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly text: string } {
  writeFileSync(imagePath, bytes);
  const { text } = run('fsck.fat', '-a', imagePath);
  const again = run('fsck.fat', '-n', imagePath);
  assert.equal(again.status, 0, `${text}\n${again.text}`);
  return { bytes: new Uint8Array(readFileSync(imagePath)), text };
}

export function contentsOf(fileSystem: FileSystem, inode: InodeNumber): Uint8Array {
  const data = fileSystem.data(inode);
  const bytes = new Uint8Array(data.size);
  data.read(bytes, 0);
  return bytes;
}

/** Every path, with the bytes of files; undefined for a directory. */
export function treeOf(
  fileSystem: FileSystem,
  inode = fileSystem.root,
  path = '',
): Map<string, Uint8Array | undefined> {
  const tree = new Map<string, Uint8Array | undefined>();
  for (const { name, inode: child, type } of fileSystem.entries(inode)) {
    const full = `${path}/${name}`;
    tree.set(full, type === 'directory' ? undefined : contentsOf(fileSystem, child));
    if (type === 'directory')
      for (const [below, bytes] of treeOf(fileSystem, child, full)) tree.set(below, bytes);
  }
  return tree;
}

export function writeFile({ writer }: Written, inode: InodeNumber, bytes: Uint8Array, offset = 0): void {
  const contents = writer.contents(inode);
  contents.write(bytes, offset);
  contents.close();
}

export const newFile = { type: 'file', permissions: 0o644, uid: 0, gid: 0 } as const;
export const newDirectory = { type: 'directory', permissions: 0o755, uid: 0, gid: 0 } as const;

/** The tree as mtools copies it. */
export function treeByMtools(bytes: Uint8Array): Map<string, Uint8Array | undefined> {
  writeFileSync(imagePath, bytes);
  const target = join(directory, 'out');
  rmSync(target, { recursive: true, force: true });
  run('mkdir', target);
  const { status, text } = run('mcopy', '-s', '-n', '-Q', '-i', imagePath, '::*', target);
  assert.equal(status, 0, text);
  const tree = new Map<string, Uint8Array | undefined>();
  const { text: list } = run('find', target, '-mindepth', '1', '-printf', '%y %P\\n');
  for (const line of list.trimEnd().split('\n').filter(Boolean)) {
    const path = line.slice(2);
    tree.set(`/${path}`, line[0] === 'd' ? undefined : new Uint8Array(readFileSync(join(target, path))));
  }
  return tree;
}
