/**
 * The log of a VHDX that was not closed: metadata that may not have reached its place. It is replayed in memory, and
 * the file stays as it is. Specification: "Log".
 *
 * The log is a ring of entries. The valid sequence of entries with the greatest sequence number is the one that counts;
 * its last entry tells where the sequence begins.
 */
import {
  CorruptError,
  checksumHolds,
  concatBytes,
  type Decoded,
  formatGuid,
  viewOf,
} from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { type Header, sumOf } from './header.js';
import {
  dataSector,
  dataSectorSignature,
  dataSignature,
  limits,
  logDescriptor,
  logEntry,
  logEntrySignature,
  logSector,
  zeroSignature,
} from './layout.js';
import { ReplayedDisk } from './replayed.js';

const structure = 'VHDX log';

/** A valid entry. */
interface Entry {
  /** Where it begins in the log. */
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly fields: Decoded<typeof logEntry.fields>;
}

/** The file as it is once the log is replayed; the file itself without a log. */
export function replayLog(file: Disk, { log }: Header): Disk {
  if (log === undefined) return file;
  if (log.offset + log.length > file.size) {
    throw new CorruptError(structure, 'lies outside the file', { offset: log.offset, length: log.length });
  }
  const ring = new Uint8Array(log.length);
  file.read(ring, log.offset);
  const sequence = new LogReader(ring, log.guid).activeSequence();
  const head = sequence.at(-1);
  if (head === undefined) throw new CorruptError(structure, 'has no valid sequence of entries');
  const { flushed_file_offset: flushed, last_file_offset: last } = head.fields;
  if (file.size < flushed) {
    throw new CorruptError(structure, 'belongs to a longer file: this one was cut short', {
      length: file.size,
      expected: flushed,
    });
  }
  const disk = new ReplayedDisk(file, (limits.logPasses * log.length) / logSector);
  for (const entry of sequence) replayEntry(entry, disk);
  disk.end(last);
  return disk;
}

const descriptorBytes = (count: number): number =>
  Math.ceil((logEntry.size + count * logDescriptor.size) / logSector) * logSector;

/** A place or a length in the file, which is a whole number of the log's sectors. */
function aligned(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value % BigInt(logSector) !== 0n) {
    throw new CorruptError(structure, `has an impossible ${what}`, { value });
  }
  return Number(value);
}

function replayEntry({ bytes, fields }: Entry, disk: ReplayedDisk): void {
  let dataAt = descriptorBytes(fields.descriptor_count);
  for (let index = 0; index < fields.descriptor_count; index++) {
    const descriptor = logDescriptor.decode(bytes, logEntry.size + index * logDescriptor.size);
    const offset = aligned(descriptor.file_offset, 'place of a change');
    if (descriptor.signature === zeroSignature) {
      disk.zeroRange(offset, offset + aligned(descriptor.zero_length, 'length of zeroes'));
      continue;
    }
    const sector = bytes.slice(dataAt, dataAt + logSector);
    sector.set(descriptor.leading_bytes);
    sector.set(descriptor.trailing_bytes, logSector - descriptor.trailing_bytes.length);
    disk.putSector(offset, sector);
    dataAt += logSector;
  }
}

class LogReader {
  readonly #ring: Uint8Array;
  readonly #view: DataView;
  readonly #guid: string;
  /** By place; undefined for a place where no valid entry begins. */
  readonly #entries = new Map<number, Entry | undefined>();
  /** Bytes that may still be summed: entries of an honest log do not overlap. */
  #bytesLeft: number;
  /** Entries that may still be visited. */
  #visitsLeft: number;

  constructor(ring: Uint8Array, guid: string) {
    this.#ring = ring;
    this.#view = viewOf(ring);
    this.#guid = guid;
    this.#bytesLeft = ring.length * limits.logPasses;
    this.#visitsLeft = (ring.length / logSector) * limits.logPasses;
  }

  /** The sequence to be replayed, oldest entry first; empty if there is none. */
  activeSequence(): readonly Entry[] {
    const { length } = this.#ring;
    let active: readonly Entry[] = [];
    for (let tail = 0; tail < length; ) {
      const walked = this.#walk(tail);
      const head = walked.at(-1);
      const first = head ? walked.findIndex(({ at }) => at === head.fields.tail) : -1;
      if (head === undefined || first < 0) {
        tail += logSector;
        continue;
      }
      const newest = active.at(-1)?.fields.sequence_number ?? 0n;
      if (head.fields.sequence_number > newest) active = walked.slice(first);
      // A sequence that goes over the end of the ring ends the search.
      tail = walked.reduce((end, { bytes }) => end + bytes.length, tail);
    }
    return active;
  }

  /** The entries from a place on whose numbers follow one another. An entry never comes twice, as its number grows. */
  #walk(start: number): Entry[] {
    const walked: Entry[] = [];
    for (let at = start; ; ) {
      if (--this.#visitsLeft < 0) throw new CorruptError(structure, 'has too many sequences of entries');
      const entry = this.#entryAt(at);
      const last = walked.at(-1);
      if (entry === undefined) return walked;
      if (last && entry.fields.sequence_number !== last.fields.sequence_number + 1n) return walked;
      walked.push(entry);
      at = (at + entry.bytes.length) % this.#ring.length;
    }
  }

  #entryAt(at: number): Entry | undefined {
    if (this.#entries.has(at)) return this.#entries.get(at);
    const entry = this.#readEntry(at);
    this.#entries.set(at, entry);
    return entry;
  }

  #readEntry(at: number): Entry | undefined {
    if (logEntry.get(this.#view, at, 'signature') !== logEntrySignature) return undefined;
    if (formatGuid(logEntry.get(this.#view, at, 'log_guid')) !== this.#guid) return undefined;
    const length = logEntry.get(this.#view, at, 'entry_length');
    if (length === 0 || length % logSector !== 0 || length > this.#ring.length) return undefined;
    this.#bytesLeft -= length;
    if (this.#bytesLeft < 0) throw new CorruptError(structure, 'has entries that overlap');
    const bytes = this.#slice(at, length);
    const fields = logEntry.decode(bytes);
    if (!checksumHolds(sumOf(bytes, logEntry.fields.checksum.at), fields.checksum)) return undefined;
    return isWhole(bytes, fields) ? { at, bytes, fields } : undefined;
  }

  #slice(at: number, length: number): Uint8Array {
    const end = at + length;
    if (end <= this.#ring.length) return this.#ring.subarray(at, end);
    return concatBytes([this.#ring.subarray(at), this.#ring.subarray(0, end - this.#ring.length)]);
  }
}

/** Whether every descriptor and every sector of data belongs to the entry. */
function isWhole(bytes: Uint8Array, fields: Entry['fields']): boolean {
  const { sequence_number, descriptor_count, tail } = fields;
  if (sequence_number === 0n || tail % logSector !== 0) return false;
  let dataAt = descriptorBytes(descriptor_count);
  if (dataAt > bytes.length) return false;
  const view = viewOf(bytes);
  for (let index = 0; index < descriptor_count; index++) {
    const at = logEntry.size + index * logDescriptor.size;
    if (logDescriptor.get(view, at, 'sequence_number') !== sequence_number) return false;
    const signature = logDescriptor.get(view, at, 'signature');
    if (signature === zeroSignature) continue;
    if (signature !== dataSignature || dataAt + logSector > bytes.length) return false;
    const sector = dataSector.decode(view, dataAt);
    const sequence = (BigInt(sector.sequence_high) << 32n) + BigInt(sector.sequence_low);
    if (sector.signature !== dataSectorSignature || sequence !== sequence_number) return false;
    dataAt += logSector;
  }
  return dataAt === bytes.length;
}
