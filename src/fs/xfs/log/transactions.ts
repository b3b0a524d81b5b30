/**
 * Transactions, put together from operations: several are under way at once, and a part that has no room in one record
 * goes on in the next. As the kernel's fs/xfs/xfs_log_recover.c, xlog_recover_process_ophdr and what it calls.
 */
import { CorruptError, concatBytes, type Endian, viewOf, work } from '../../../base/index.js';
import {
  clients,
  itemHead,
  itemTypes,
  mostRegions,
  operation,
  operationFlags,
  transactionHeaderSize,
} from './layout.js';
import { type LogPosition, logName } from './log.js';
import type { LogRecord } from './records.js';

/** A logged change: regions of bytes, the first of which says what they are. */
export interface LogItem {
  readonly type: number;
  readonly regions: readonly Uint8Array[];
}

/** A transaction that was committed. */
export interface Transaction {
  /** Of the record in which it began. */
  readonly position: LogPosition;
  readonly items: readonly LogItem[];
}

interface GrowingItem {
  readonly wanted: number;
  readonly type: number;
  readonly regions: Uint8Array[];
}

class GrowingTransaction {
  readonly position: LogPosition;
  readonly items: GrowingItem[] = [];
  readonly #endian: Endian;
  /** Bytes of the transaction's own header that have come. */
  #header = 0;
  #held = 0;

  constructor(position: LogPosition, endian: Endian) {
    this.position = position;
    this.#endian = endian;
  }

  /** A new region, or the beginning of one. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#header < transactionHeaderSize) {
      this.#addHeader(bytes);
      return;
    }
    this.#hold(bytes.length);
    const last = this.items.at(-1);
    if (last !== undefined && last.regions.length < last.wanted) {
      last.regions.push(bytes);
      return;
    }
    const { type, size } = itemHead(this.#endian).decode(bytes);
    if (size === 0 || size >= mostRegions)
      throw new CorruptError(logName, 'an item has no parts', { type, size });
    this.items.push({ type, wanted: size, regions: [bytes] });
  }

  /** The rest of the last region. */
  addToLast(bytes: Uint8Array): void {
    if (this.#header < transactionHeaderSize) {
      this.#addHeader(bytes);
      return;
    }
    this.#hold(bytes.length);
    const regions = this.items.at(-1)?.regions;
    const last = regions?.at(-1);
    if (regions === undefined || last === undefined)
      throw new CorruptError(logName, 'a part goes on that never began');
    regions[regions.length - 1] = concatBytes([last, bytes]);
  }

  #addHeader(bytes: Uint8Array): void {
    this.#header += bytes.length;
    if (this.#header > transactionHeaderSize)
      throw new CorruptError(logName, 'the header of a transaction is too long', { size: this.#header });
  }

  #hold(length: number): void {
    work.bytes.spend(length);
    this.#held += length;
  }

  release(): void {
    work.bytes.refund(this.#held);
    this.#held = 0;
  }
}

/** The transactions that end in these records, in the order of their ends. One without an end is left out. */
export function* transactionsOf(records: Iterable<LogRecord>, endian: Endian): Generator<Transaction> {
  const underWay = new Map<number, GrowingTransaction>();
  for (const { position, header, bytes } of records) {
    const view = viewOf(bytes);
    let at = 0;
    for (let count = 0; count < header.h_num_logops && at < bytes.length; count++) {
      work.entries.spend(1);
      const { oh_tid: id, oh_len: length, oh_clientid: client, oh_flags: flags } = operation.decode(view, at);
      at += operation.size;
      if (client !== clients.transaction && client !== clients.log)
        throw new CorruptError(logName, 'an operation has an unknown client', { client });
      if (at + length > bytes.length)
        throw new CorruptError(logName, 'an operation is cut short', { length });
      const part = bytes.subarray(at, at + length);
      at += length;
      if ((flags & operationFlags.start) !== 0) {
        underWay.set(id, new GrowingTransaction(position, endian));
        continue;
      }
      const transaction = underWay.get(id);
      // The beginning may lie before the tail: then nothing of it is wanted.
      if (transaction === undefined) continue;
      if ((flags & operationFlags.unmount) !== 0) underWay.delete(id);
      else if ((flags & operationFlags.commit) !== 0) {
        underWay.delete(id);
        yield { position: transaction.position, items: transaction.items.map(wholeItem) };
        transaction.release();
      } else if ((flags & operationFlags.continued) !== 0) transaction.addToLast(part);
      else transaction.add(part);
    }
  }
  for (const transaction of underWay.values()) transaction.release();
}

function wholeItem({ type, wanted, regions }: GrowingItem): LogItem {
  if (regions.length !== wanted)
    throw new CorruptError(logName, 'an item lacks parts', { type, parts: regions.length, expected: wanted });
  return { type, regions };
}

/** Whether a type of item is known at all. */
export function isKnownItem(type: number): boolean {
  return Object.values<number>(itemTypes).includes(type);
}
