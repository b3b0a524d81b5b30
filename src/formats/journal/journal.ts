/** The files of a systemd journal as one, in the order in which sd_journal_next(3) gives their entries. */
import type { EntryKey, JournalField, JournalFile } from './file.js';

const order = <T extends number | string>(one: T, other: T): number =>
  one < other ? -1 : one > other ? 1 : 0;

/** Below zero where one entry comes before another; 0 for the same entry in two files. */
function compareKeys(one: EntryKey, other: EntryKey): number {
  const isSameBoot = one.bootId === other.bootId;
  return (
    (one.seqnumId === other.seqnumId && order(one.seqnum, other.seqnum)) ||
    (isSameBoot && order(one.monotonic, other.monotonic)) ||
    order(one.realtime, other.realtime) ||
    order(one.xorHash, other.xorHash)
  );
}

interface Cursor {
  readonly file: JournalFile;
  /** Of the first entry that is not before the present one. */
  position: number;
}

interface Present {
  readonly file: JournalFile;
  readonly index: number;
  readonly key: EntryKey;
}

export class JournalReader {
  readonly #cursors: readonly Cursor[];
  readonly #damage: (error: unknown) => void;
  #present: Present | undefined;

  /** It stands before the first entry. `damage`: called for an entry that is left out, or throws. */
  constructor(files: readonly JournalFile[], damage: (error: unknown) => void) {
    this.#cursors = files.map((file) => ({ file, position: 0 }));
    this.#damage = damage;
  }

  /** When the entry was written, in microseconds since 1970; undefined before the first. */
  get realtime(): number | undefined {
    return this.#present?.key.realtime;
  }

  /** The fields of the entry; undefined before the first. */
  fields(): Iterable<JournalField> | undefined {
    return this.#present?.file.fields(this.#present.index);
  }

  /** Goes to the next entry, or to the previous one; where there is none, it stays. */
  step(direction: 1 | -1): boolean {
    const present = this.#present;
    let best: Present | undefined;
    for (const cursor of this.#cursors) {
      const found = this.#beyond(cursor, present?.key, direction);
      if (found === undefined) continue;
      if (best === undefined || compareKeys(found.key, best.key) * direction < 0) best = found;
    }
    if (best === undefined) return false;
    this.#present = best;
    return true;
  }

  /** The first entry of a file that lies beyond another in a direction. */
  #beyond(cursor: Cursor, from: EntryKey | undefined, direction: 1 | -1): Present | undefined {
    const { file } = cursor;
    // As libsystemd does it, going back from the beginning leads to the last of the files' first entries.
    if (from === undefined && direction < 0) return this.#beyond(cursor, undefined, 1);
    let index = direction > 0 ? cursor.position : Math.min(cursor.position, file.entryCount - 1);
    for (; index >= 0 && index < file.entryCount; index += direction) {
      const key = this.#keyOf(file, index);
      if (key === undefined) continue;
      if (from === undefined || compareKeys(key, from) * direction > 0) {
        cursor.position = index;
        return { file, index, key };
      }
    }
    cursor.position = Math.max(0, index);
    return undefined;
  }

  #keyOf(file: JournalFile, index: number): EntryKey | undefined {
    try {
      return file.key(index);
    } catch (thrown) {
      this.#damage(thrown);
      return undefined;
    }
  }
}
