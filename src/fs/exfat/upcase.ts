/** The up-case table: which units of UTF-16 are one in any case. Section 7.2 of the specification. */
import { CorruptError, checksumHolds, viewOf, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { rotateAndAdd, upcaseLimit, upcaseRun } from './layout.js';

/** By unit; the unit itself where it has no other case. */
export type UpcaseTable = Uint16Array;

/** Each unit as itself. (`from` with a function takes twenty times as long as the loop.) */
function newTable(): UpcaseTable {
  const table = new Uint16Array(65_536);
  for (let unit = 0; unit < table.length; unit++) table[unit] = unit;
  return table;
}

/** Reads a table, of which runs of units that stand for themselves are stored as their number. */
export function readUpcaseTable(data: Disk, checksum: number): UpcaseTable {
  if (data.size === 0 || data.size > upcaseLimit || data.size % 2 !== 0)
    throw new CorruptError('exFAT up-case table', 'has an impossible size', { size: data.size });
  const raw = new Uint8Array(data.size);
  data.read(raw, 0);
  work.steps.spend(raw.length);
  let sum = 0;
  for (const byte of raw) sum = rotateAndAdd(sum, byte);
  if (!checksumHolds(sum, checksum))
    throw new CorruptError('exFAT up-case table', 'has a wrong checksum', { sum, checksum });
  const view = viewOf(raw);
  const table = newTable();
  for (let at = 0, unit = 0; at < raw.length; at += 2) {
    const value = view.getUint16(at, true);
    if (value === upcaseRun && at + 2 < raw.length) {
      at += 2;
      unit += view.getUint16(at, true);
    } else if (unit < table.length) table[unit++] = value;
  }
  return table;
}

/** For a volume whose own table cannot be read: what Unicode says. */
export function defaultUpcaseTable(): UpcaseTable {
  const table = newTable();
  for (let unit = 0; unit < table.length; unit++) {
    const upper = String.fromCharCode(unit).toUpperCase();
    if (upper.length === 1) table[unit] = upper.charCodeAt(0);
  }
  return table;
}

/** The form in which names are compared. */
export function upcase(table: UpcaseTable, name: string): string {
  let folded = '';
  for (let i = 0; i < name.length; i++) {
    const unit = table[name.charCodeAt(i)] as number; // safe: the table has all units
    folded += String.fromCharCode(unit);
  }
  return folded;
}
