/**
 * Directories: runs of entries, each behind a header that says where their inodes lie. The entries are sorted by the
 * bytes of their names. A large directory has indexes, which say with what name the run at a place begins.
 */
import { CorruptError, compareBytes, decodeText, encodeText, type ModeType, work } from '../../base/index.js';
import { heeding, type OnDamage } from '../driver.js';
import { type DirectoryPlace, typeOfNumber } from './inode.js';
import {
  dirEntry,
  dirHeader,
  dirIndex,
  dot,
  SQUASHFS_DIR_COUNT,
  SQUASHFS_METADATA_SIZE,
  SQUASHFS_NAME_LEN,
  slash,
} from './layout.js';
import type { MetadataReader } from './metadata.js';
import { referenceTo } from './superblock.js';

/** An entry: a name, and the number and the place of its inode. */
export interface Entry {
  readonly name: Uint8Array;
  readonly number: number;
  readonly reference: number;
  readonly type: ModeType | 'unknown';
}

const what = 'squashfs directory';

export class Directories {
  readonly #metadata: MetadataReader;
  /** Where the table of directories begins on the disk. */
  readonly #start: number;

  constructor(metadata: MetadataReader, start: number) {
    this.#metadata = metadata;
    this.#start = start;
  }

  /** The entries in stored order. Damage ends a directory: what follows it has no certain beginning. */
  *entries(directory: DirectoryPlace, onDamage?: OnDamage): Generator<Entry> {
    yield* this.#read(directory, { block: directory.block, at: 0 }, onDamage);
  }

  /** The entry of a name, found by the indexes; undefined where there is none. */
  find(directory: DirectoryPlace, wanted: string): Entry | undefined {
    const name = encodeText(wanted);
    for (const entry of this.#read(directory, this.#runBefore(directory, name))) {
      const order = compareBytes(entry.name, name);
      if (order === 0) return entry;
      if (order > 0) return undefined;
    }
    return undefined;
  }

  /** Where the last run begins whose first name is not behind `name`: its block, and its place in the directory. */
  #runBefore(directory: DirectoryPlace, name: Uint8Array): { block: number; at: number } {
    const { block, offset } = directory.indexes;
    const cursor = this.#metadata.cursor(block, offset);
    let run = { block: directory.block, at: 0 };
    for (let i = 0; i < directory.indexCount; i++) {
      work.entries.spend(1);
      const { index, start_block, size } = cursor.decode(dirIndex);
      if (size + 1 > SQUASHFS_NAME_LEN)
        throw new CorruptError(what, 'has an index with an impossible name', { length: size + 1 });
      if (compareBytes(cursor.take(size + 1), name) > 0) break;
      run = { block: start_block, at: index };
    }
    return run;
  }

  *#read(
    { offset, size }: DirectoryPlace,
    { block, at }: { block: number; at: number },
    onDamage?: OnDamage,
  ): Generator<Entry> {
    // Blocks but the last hold as many bytes, so the place in the directory tells the place in the block.
    const cursor = this.#metadata.cursor(this.#start + block, (offset + at) % SQUASHFS_METADATA_SIZE);
    let done = at;
    const take = <T>(length: number, read: () => T): T => {
      done += length;
      if (done > size) throw new CorruptError(what, 'is cut short', { size });
      return read();
    };
    while (done < size) {
      const header = heeding(onDamage, () => {
        const { count, ...rest } = take(dirHeader.size, () => cursor.decode(dirHeader));
        if (count >= SQUASHFS_DIR_COUNT)
          throw new CorruptError(what, 'has a run of too many entries', { count: count + 1 });
        return { count: count + 1, ...rest };
      });
      if (header === undefined) return;
      for (let left = header.count; left > 0; left--) {
        work.entries.spend(1);
        const entry = heeding(onDamage, () => {
          const fields = take(dirEntry.size, () => cursor.decode(dirEntry));
          const length = fields.size + 1;
          if (length > SQUASHFS_NAME_LEN) throw new CorruptError(what, 'has an impossible name', { length });
          return {
            name: take(length, () => cursor.take(length)),
            number: header.inode_number + fields.inode_number,
            reference: referenceTo(header.start_block, fields.offset),
            type: typeOfNumber(fields.type) ?? 'unknown',
          } as const;
        });
        if (entry === undefined) return;
        if (heeding(onDamage, () => checkName(entry)) !== undefined) yield entry;
      }
    }
  }
}

/** A name that no file can have is damage of its entry alone. */
function checkName({ name, number }: Entry): true {
  const isDots = name.length <= 2 && name.every((byte) => byte === dot);
  if (isDots || name.includes(0) || name.includes(slash))
    throw new CorruptError(what, 'has a name that no file can have', { inode: number });
  return true;
}

export const nameOf = ({ name }: Entry): string => decodeText(name);
