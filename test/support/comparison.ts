/** The one comparer: files as we tell them, with files as a foreign tool told them. */
import assert from 'node:assert/strict';
import type { ToldFile, ToldUsage, Truth } from './truth.js';

export interface Comparison {
  /** Fields that are not compared: this filesystem makes them up as it goes (a FAT has no inode numbers). */
  readonly without?: readonly (keyof ToldFile)[];
  /** Fields of files that are meant to differ. */
  readonly except?: (told: ToldFile, field: keyof ToldFile) => boolean;
}

/** How many differences a failure names. */
const shown = 20;

/** Collects differences, and fails with the first of them. */
export class Differences {
  readonly #found: string[] = [];
  count = 0;

  add(path: string, what: string, ours: unknown, theirs: unknown): void {
    this.count++;
    const show = (value: unknown) => JSON.stringify(value)?.slice(0, 300);
    if (this.count <= shown)
      this.#found.push(`${JSON.stringify(path)} ${what}: ${show(ours)}, told as ${show(theirs)}`);
  }

  compare(path: string, what: string, ours: unknown, theirs: unknown): void {
    if (ours !== theirs) this.add(path, what, ours, theirs);
  }

  throwIfAny(): void {
    assert.equal(this.count, 0, `${String(this.count)} differences:\n${this.#found.join('\n')}`);
  }
}

/** A field in a form that `===` compares. */
function comparable(file: ToldFile, field: keyof ToldFile, teller: Truth['teller']): unknown {
  if (field !== 'xattrs') return field === 'rdev' ? file.rdev.join(':') : file[field];
  // debugfs shows access control lists only as they are stored.
  const told = Object.entries(file.xattrs ?? {}).filter(
    ([name]) => teller === 'kernel' || !name.startsWith('system.posix_acl_'),
  );
  return JSON.stringify(told.sort());
}

const fields = [
  'mode',
  'nlink',
  'uid',
  'gid',
  'size',
  'rdev',
  'ino',
  'blocks',
  'atime',
  'mtime',
  'ctime',
  'link',
  'sha256',
  'xattrs',
] as const satisfies readonly (keyof ToldFile)[];

/** Compares all files. A file that only one side tells of is a difference. Gives how many files both tell of. */
export function compareFiles(
  ours: Iterable<ToldFile>,
  truth: Truth,
  differences: Differences,
  { without = [], except = () => false }: Comparison = {},
): number {
  const seen = new Set<string>();
  const compared = fields.filter((field) => !without.includes(field));
  for (const file of ours) {
    const told = truth.files.get(file.path);
    if (told === undefined) differences.add(file.path, 'is there', true, undefined);
    if (told === undefined || seen.has(file.path)) continue;
    seen.add(file.path);
    for (const field of compared) {
      if (except(told, field)) continue;
      const one = comparable(file, field, truth.teller);
      differences.compare(file.path, field, one, comparable(told, field, truth.teller));
    }
  }
  for (const path of truth.files.keys())
    if (!seen.has(path)) differences.add(path, 'is there', undefined, true);
  return seen.size;
}

/** Compares how full a filesystem is, in the numbers that both sides have. */
export function compareUsage(
  ours: ToldUsage,
  told: ToldUsage,
  differences: Differences,
  without: readonly string[] = [],
): void {
  for (const [name, value] of Object.entries(told))
    if (!without.includes(name))
      differences.compare('/', `statfs ${name}`, ours[name as keyof ToldUsage], value);
}
