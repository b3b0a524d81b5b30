/**
 * System use entries: SUSP 1.12. Each has a two-letter signature, a length and a version; a CE entry gives the place
 * of more entries, and ST ends them.
 */
import { type Decoded, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { continuation, sharingIndicator, useEntryHead } from './layout.js';

/** The most continuation areas of one record, as in Linux. This bounds loops. */
const maxContinuations = 32;

export interface UseEntry {
  /** Two letters: `NM`. */
  readonly signature: string;
  /** The whole entry, its head included. */
  readonly raw: Uint8Array;
}

/**
 * The damage in a record's entries: none; an entry that does not fit, which ends them; a continuation that cannot be
 * read, or too many of them.
 */
export type SuspDamage = 'none' | 'entry' | 'continuation';

/**
 * Yields the entries of a record. `skip` bytes at its start belong to others. Damage ends the entries and is reported
 * in `result`; the earlier entries count.
 */
export function* readUseEntries(
  disk: Disk,
  blockSize: number,
  systemUse: Uint8Array,
  skip: number,
  result: { damage: SuspDamage } = { damage: 'none' },
): Generator<UseEntry> {
  let area = systemUse.subarray(Math.min(skip, systemUse.length));
  for (let areas = 0; areas < maxContinuations; areas++) {
    let next: Decoded<typeof continuation.fields> | undefined;
    for (let at = 0; at + useEntryHead <= area.length; ) {
      work.entries.spend(1);
      const length = area[at + 2] ?? 0;
      if (length < useEntryHead || at + length > area.length) {
        result.damage = 'entry';
        return;
      }
      const raw = area.subarray(at, at + length);
      const signature = String.fromCharCode(raw[0] ?? 0, raw[1] ?? 0);
      at += length;
      if (signature === 'ST') break;
      if (signature !== 'CE') yield { signature, raw };
      else if (raw.length >= continuation.size) next = continuation.decode(raw);
    }
    if (next === undefined || next.extent === 0) return;
    const position = next.extent * blockSize + next.offset;
    if (next.offset + next.length > blockSize || position + next.length > disk.size) break;
    area = new Uint8Array(next.length);
    disk.read(area, position);
  }
  result.damage = 'continuation';
}

/** CD-ROM XA puts 14 bytes of its own before SUSP's. */
const extendedArchitectureSize = 14;

/**
 * Facts in the root directory's own record: whether Rock Ridge is declared (an ER entry), and how many bytes to skip
 * in other records.
 */
export function readSharing(
  disk: Disk,
  blockSize: number,
  systemUse: Uint8Array,
): { skip: number; declared: boolean } {
  for (const start of [0, extendedArchitectureSize]) {
    let skip: number | undefined;
    let declared = false;
    for (const { signature, raw } of readUseEntries(disk, blockSize, systemUse, start)) {
      if (signature === 'SP' && raw.length >= sharingIndicator.size) {
        const sharing = sharingIndicator.decode(raw);
        if (sharing.check[0] === 0xbe && sharing.check[1] === 0xef) skip = sharing.skip;
      } else if (signature === 'ER') declared = true;
    }
    if (skip !== undefined || declared) return { skip: skip ?? 0, declared };
  }
  return { skip: 0, declared: false };
}
