/**
 * Records of the log: headers, and operations that several transactions write in turn. Each sector of the data has the
 * cycle in the place of its first word, which the headers keep.
 */
import { CorruptError, checksumHolds, crc32cOfView, viewOf, work } from '../../../base/index.js';
import { type LogExtent, lastHeaderBefore, tailOf } from './head.js';
import {
  cyclesPerHeader,
  extendedChecksumSize,
  extendedCycleDataAt,
  greatestRecord,
  logRecord,
  logRecordMagic,
  logUnit,
  mostRecordsAtOnce,
  recordChecksumAt,
  recordChecksumSizes,
  recordCycleDataAt,
} from './layout.js';
import { type Log, type LogPosition, logName, positionOf, type RecordHeader } from './log.js';

/** A record without its headers, as it was before the cycles were put into it. */
export interface LogRecord {
  readonly position: LogPosition;
  readonly header: RecordHeader;
  readonly bytes: Uint8Array;
}

/** A record as it lies in the log, and the sector behind it. */
interface StoredRecord extends LogRecord {
  readonly headers: Uint8Array;
  readonly end: number;
  readonly isWhole: boolean;
}

const emptySum = viewOf(new Uint8Array(4));

/** Whether the sum over headers and data is right; in version 4 there may be none. */
function checksumIsRight(headers: Uint8Array, data: Uint8Array, version5: boolean): boolean {
  const view = viewOf(headers);
  const stored = view.getUint32(recordChecksumAt, true);
  if (!version5) return true;
  return recordChecksumSizes.some((size) => {
    let sum = crc32cOfView(0xffffffff, view, 0, recordChecksumAt);
    sum = crc32cOfView(sum, emptySum, 0, 4);
    sum = crc32cOfView(sum, view, recordChecksumAt + 4, size);
    for (let at = logUnit; at < headers.length; at += logUnit)
      sum = crc32cOfView(sum, view, at, at + extendedChecksumSize);
    sum = crc32cOfView(sum, viewOf(data), 0, data.length);
    return checksumHolds(~sum >>> 0, stored);
  });
}

/** Puts the first words back into the sectors of the data. */
function restoreFirstWords(headers: Uint8Array, data: Uint8Array): void {
  for (let sector = 0; sector * logUnit < data.length; sector++) {
    const inHeader = sector % cyclesPerHeader;
    const header = (sector - inHeader) / cyclesPerHeader;
    const at = header * logUnit + (header === 0 ? recordCycleDataAt : extendedCycleDataAt) + inHeader * 4;
    // The rest of a record that is longer than its headers cover was never changed.
    if (at + 4 > headers.length) return;
    data.set(headers.subarray(at, at + 4), sector * logUnit);
  }
}

/** The record at a sector. CorruptError where there is none. */
function readRecord(log: Log, at: number, version5: boolean): StoredRecord {
  work.entries.spend(1);
  const header = logRecord.decode(log.sector(at));
  const { h_magicno: magic, h_len: length, h_version: version } = header;
  if (magic !== logRecordMagic)
    throw new CorruptError(logName, 'has no record where one should be', { sector: at });
  if (version < 1 || version > 3)
    throw new CorruptError(logName, 'a record has no known version', { version });
  const headerCount = log.headerSectors(header);
  const dataSectors = Math.ceil(length / logUnit);
  if (length === 0 || length > greatestRecord || headerCount + dataSectors >= log.sectors)
    throw new CorruptError(logName, 'a record has an invalid length', { sector: at, length });
  const stored = log.read(at, headerCount + dataSectors);
  const headers = stored.subarray(0, headerCount * logUnit);
  const bytes = stored.subarray(headers.length, headers.length + length);
  return {
    position: positionOf(header.h_lsn),
    header,
    headers,
    bytes,
    end: log.wrap(at + headerCount + dataSectors),
    isWhole: checksumIsRight(headers, bytes, version5),
  };
}

/** How far it is from one sector to another, forwards. */
function distance(log: Log, from: number, to: number): number {
  return (to - from + log.sectors) % log.sectors;
}

/**
 * The part of the log without records at its end that were not written to their ends: with checksums, one that is wrong
 * among the last few is where the machine stopped.
 */
export function withoutTornEnd(log: Log, extent: LogExtent, version5: boolean): LogExtent {
  const { head, tail } = extent;
  let first = head;
  for (let count = 0; count < mostRecordsAtOnce && first !== tail; count++) {
    const before = lastHeaderBefore(log, first, tail);
    if (before === undefined) break;
    first = before;
  }
  for (let at = first; at !== head; ) {
    const record = readRecord(log, at, version5);
    if (!record.isWhole) {
      if (at === tail) throw new CorruptError(logName, 'its first record has a bad checksum', { sector: at });
      const last = lastHeaderBefore(log, at, tail);
      if (last === undefined) throw new CorruptError(logName, 'has no whole record', { sector: at });
      return { head: at, tail: tailOf(log, log.header(last)), isClean: false };
    }
    if (distance(log, at, record.end) > distance(log, at, head))
      throw new CorruptError(logName, 'a record reaches over its end', { sector: at, head });
    at = record.end;
  }
  return extent;
}

/** The records of a part of the log, in order. CorruptError for one that is damaged, as the kernel then stops too. */
export function* recordsOf(log: Log, { head, tail }: LogExtent, version5: boolean): Generator<LogRecord> {
  const total = distance(log, tail, head);
  for (let done = 0, at = tail; done < total; ) {
    const record = readRecord(log, at, version5);
    if (!record.isWhole) throw new CorruptError(logName, 'a record has a bad checksum', { sector: at });
    restoreFirstWords(record.headers, record.bytes);
    yield record;
    done += distance(log, at, record.end);
    at = record.end;
  }
}
