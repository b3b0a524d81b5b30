/**
 * A boot record: four entries, in the first sector of a disk and in the first sector of each logical partition's
 * place.
 */
import { readMaybe, viewOf } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import {
  bootRecord,
  bootRecordSize,
  bootSignature,
  mbrEntriesOffset,
  mbrEntry,
  mbrEntryCount,
} from './layout.js';

/** One of the four entries; `start` and `size` are in sectors. */
export interface BootRecordEntry {
  readonly bootIndicator: number;
  readonly type: number;
  readonly start: number;
  readonly size: number;
}

export interface BootRecord {
  readonly bytes: Uint8Array;
  readonly diskSignature: number;
  /** Always four, also the empty ones. */
  readonly entries: readonly BootRecordEntry[];
}

/** The boot record at `offset` bytes; undefined if the disk ends before it or it lacks the signature 55 AA. */
export function readBootRecord(disk: Disk, offset: number): BootRecord | undefined {
  const bytes = readMaybe(disk, offset, bootRecordSize);
  if (bytes === undefined) return undefined;
  const view = viewOf(bytes);
  const record = bootRecord.decode(view);
  if (record.boot_signature !== bootSignature) return undefined;
  const entries = Array.from({ length: mbrEntryCount }, (_, index) => {
    const entry = mbrEntry.decode(view, mbrEntriesOffset + index * mbrEntry.size);
    return {
      bootIndicator: entry.boot_indicator,
      type: entry.os_type,
      start: entry.starting_lba,
      size: entry.size_in_lba,
    };
  });
  return { bytes, diskSignature: record.disk_signature, entries };
}
