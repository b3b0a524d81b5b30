/**
 * Where the log ends (its head) and where it begins (its tail), by the cycles in its sectors: each lap through the log
 * writes the number of the lap into every sector. The steps are those of the kernel's fs/xfs/xfs_log_recover.c,
 * xlog_find_head and xlog_find_tail, since records that were under way when the machine stopped lie in any order.
 */
import { CorruptError, work } from '../../../base/index.js';
import {
  greatestRecord,
  headerCovers,
  logUnit,
  mostRecordsAtOnce,
  operationFlags,
  unmountFlagsAt,
} from './layout.js';
import { type Log, logName, positionOf, type RecordHeader } from './log.js';

/** What is to be replayed: the sectors from `tail` up to but not including `head`. */
export interface LogExtent {
  readonly head: number;
  readonly tail: number;
  /** Whether the log ends with the record of an unmount, so that there is nothing to replay. */
  readonly isClean: boolean;
}

/** The first sector from `first` up to `last` whose cycle is `cycle`; one cycle ends there, and no other begins. */
function findCycleStart(log: Log, first: number, last: number, cycle: number): number {
  let low = first;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (log.cycle(middle) === cycle) high = middle;
    else low = middle;
  }
  return high;
}

/** The first of `count` sectors with a cycle; undefined if there is none. */
function findCycle(log: Log, start: number, count: number, cycle: number): number | undefined {
  for (let sector = start; sector < start + count; sector++) {
    work.lookups.spend(1);
    if (log.cycle(sector) === cycle) return sector;
  }
  return undefined;
}

/**
 * The head as it must be if the record before `head` is not whole: where that record begins. Undefined if there is no
 * header from `start` on. `extra`: sectors behind the end of the log that belong to the record too.
 */
function withoutTornRecord(log: Log, start: number, head: number, extra: number): number | undefined {
  for (let sector = head - 1; sector >= start; sector--) {
    work.lookups.spend(1);
    if (!log.isHeader(sector)) continue;
    const header = log.header(sector);
    const length = Math.ceil(header.h_len / logUnit) + log.headerSectors(header);
    return head - sector + extra === length ? head : sector;
  }
  return undefined;
}

/** The sector behind the last record. Undefined where the log was never written to. */
function findHead(log: Log): number | undefined {
  const { sectors } = log;
  const record = log.version2 ? greatestRecord : headerCovers;
  const scanned = Math.min(sectors, (mostRecordsAtOnce * record) / logUnit);
  const firstCycle = log.cycle(0);
  const lastCycle = log.cycle(sectors - 1);
  if (firstCycle === 0) return undefined;
  let head: number;
  if (lastCycle === 0) {
    // The first lap: behind the head all is zero.
    head = findCycleStart(log, 0, sectors - 1, 0);
    const start = Math.max(0, head - scanned);
    head = findCycle(log, start, head - start, 0) ?? head;
  } else if (firstCycle === lastCycle) {
    head = sectors;
    const start = head - scanned;
    head = findCycle(log, start, scanned, lastCycle - 1) ?? head;
  } else {
    head = findCycleStart(log, 0, sectors - 1, lastCycle);
    const before = Math.min(head, scanned);
    const behind = scanned - before;
    // A hole in what was written last is where the head really is.
    head =
      findCycle(log, sectors - behind, behind, lastCycle - 1) ??
      findCycle(log, head - before, before, lastCycle) ??
      head;
  }
  return log.wrap(wholeRecordsBefore(log, head, record / logUnit));
}

function wholeRecordsBefore(log: Log, head: number, reach: number): number {
  const found = withoutTornRecord(log, Math.max(0, head - reach), head, 0);
  if (found !== undefined) return found;
  const behind = reach - head;
  const { sectors } = log;
  const wrapped =
    behind <= 0 ? undefined : withoutTornRecord(log, Math.max(0, sectors - behind), sectors, head);
  if (wrapped === undefined) throw new CorruptError(logName, 'has no record before its end', { head });
  return wrapped === sectors ? head : wrapped;
}

/** The last header before `end`, backwards over the beginning of the log until `limit`. */
export function lastHeaderBefore(log: Log, end: number, limit: number): number | undefined {
  const distance = (end - limit + log.sectors) % log.sectors || log.sectors;
  for (let step = 1; step <= distance; step++) {
    work.lookups.spend(1);
    const sector = (end - step + log.sectors) % log.sectors;
    if (log.isHeader(sector)) return sector;
  }
  return undefined;
}

/** Where a record's tail lies in the log. */
export function tailOf(log: Log, { h_tail_lsn: tail }: RecordHeader): number {
  const { sector } = positionOf(tail);
  if (sector >= log.sectors) throw new CorruptError(logName, 'begins outside itself', { tail: sector });
  return sector;
}

/** Whether the record at `at`, the last one, says that the filesystem was unmounted. */
function isUnmount(log: Log, at: number, header: RecordHeader, head: number): boolean {
  const dataAt = at + log.headerSectors(header);
  const end = dataAt + Math.ceil(header.h_len / logUnit);
  if (end % log.sectors !== head || header.h_num_logops !== 1) return false;
  return (log.sector(log.wrap(dataAt)).getUint8(unmountFlagsAt) & operationFlags.unmount) !== 0;
}

/** The part of the log that counts. Records that are damaged at its end are for whoever reads them. */
export function findExtent(log: Log): LogExtent {
  const head = findHead(log);
  if (head === undefined) return { head: 0, tail: 0, isClean: true };
  const last = lastHeaderBefore(log, head, head);
  if (last === undefined) throw new CorruptError(logName, 'has no record', { head });
  const header = log.header(last);
  return { head, tail: tailOf(log, header), isClean: isUnmount(log, last, header, head) };
}
