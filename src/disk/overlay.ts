/**
 * Copy-on-write: a writable disk over a base that never changes. Written data lasts as long as the overlay: in memory
 * up to a budget, then in room that the platform gives.
 *
 * Blocks are 4 KiB, the block size of nearly every filesystem and the page size of hosts: such writes need nothing
 * from the base. With 64 KiB blocks, each write would copy 60 KiB and hold sixteen times the memory for a journal's
 * scattered blocks. Joining saves what small blocks cost elsewhere: neighbours written together get neighbouring
 * slots, and a run of slots moves in one piece. A written gibibyte takes about 1 MiB of tables.
 */
import { GuestfsError } from '../base/index.js';
import { checkRead, checkWrite } from './checks.js';
import type { Disk, GrowableDisk, Span, ZeroOptions } from './disk.js';
import { platform } from './platform.js';
import { zeroByWriting } from './zero.js';

const blockSize = 4096;
/** Blocks in one table: a table covers 1 MiB of the disk and takes 1 KiB. */
const blocksInTable = 256;
/** Slots in one piece of memory: 1 MiB. */
const slotsInPiece = 256;
/** A table holds slot numbers plus one in 32 bits: 16 TiB written. */
const slotLimit = 0xffff_fffe;
/** By how much the room grows at a time, in bytes: mostly a hole until it is written. */
const growth = 1024 * 1024;

interface OverlayOptions {
  /** The directory of the platform's room. Default: the system's directory for such files. */
  readonly directory?: string;
  /** Bytes kept in memory before the rest is spilled. Default 32 MiB. */
  readonly memoryBudget?: number;
}

/** Slots of one block each: the first ones in memory, the rest in room of the platform. */
class SlotStore {
  readonly #directory: string | undefined;
  readonly #memorySlots: number;
  readonly #pieces: Uint8Array[] = [];
  #room: GrowableDisk | undefined;
  #used = 0;

  constructor(directory: string | undefined, memoryBudget: number) {
    this.#directory = directory;
    this.#memorySlots = Math.floor(memoryBudget / blockSize);
  }

  /** How many slots are taken. */
  get used(): number {
    return this.#used;
  }

  /** Counts `count` slots as taken, once their contents are stored. */
  take(count: number): void {
    this.#used += count;
  }

  read(into: Uint8Array, slot: number, skip: number): void {
    this.#each(into, slot, skip, (piece, at) => piece.set(at), this.#readRoom);
  }

  write(from: Uint8Array, slot: number): void {
    this.#each(from, slot, 0, (part, memory) => memory.set(part), this.#writeRoom);
  }

  close(): void {
    this.#pieces.length = 0;
    this.#used = 0;
    this.#room?.close();
    this.#room = undefined;
  }

  /** Cuts `bytes`, which lie `skip` bytes into `slot`, at the borders of memory pieces; the rest is the room's. */
  #each(
    bytes: Uint8Array,
    slot: number,
    skip: number,
    inMemory: (part: Uint8Array, memory: Uint8Array) => void,
    inRoom: (part: Uint8Array, offset: number) => void,
  ): void {
    const limit = this.#memorySlots * blockSize;
    for (let done = 0, at = slot * blockSize + skip; done < bytes.length; ) {
      if (at >= limit) {
        inRoom(bytes.subarray(done), at - limit);
        return;
      }
      const within = at % (slotsInPiece * blockSize);
      const length = Math.min(bytes.length - done, slotsInPiece * blockSize - within, limit - at);
      const piece = this.#piece(Math.floor(at / (slotsInPiece * blockSize)));
      inMemory(bytes.subarray(done, done + length), piece.subarray(within, within + length));
      done += length;
      at += length;
    }
  }

  /** Slots are used in order, so a missing piece is always the next one. */
  #piece(index: number): Uint8Array {
    const known = this.#pieces[index];
    if (known) return known;
    const slots = Math.min(slotsInPiece, this.#memorySlots - index * slotsInPiece);
    const piece = new Uint8Array(slots * blockSize);
    this.#pieces[index] = piece;
    return piece;
  }

  readonly #readRoom = (into: Uint8Array, offset: number): void => {
    this.#room?.read(into, offset); // there is one: it was written to
  };

  readonly #writeRoom = (from: Uint8Array, offset: number): void => {
    this.#room ??= platform().scratch(this.#directory);
    const end = offset + from.length;
    if (end > this.#room.size) this.#room.resize(Math.ceil(end / growth) * growth);
    this.#room.write(from, offset);
  };
}

/** A disk over `base` that takes writes and keeps them apart. It owns `base`: closing it closes both. */
export class OverlayDisk implements Disk {
  readonly writable = true;
  readonly sectorSize: number;
  readonly size: number;
  readonly #base: Disk;
  readonly #store: SlotStore;
  /** By index: for each block of a table its slot plus one, or 0 if the base has it. */
  readonly #tables = new Map<number, Uint32Array>();

  constructor(base: Disk, options: OverlayOptions = {}) {
    this.#base = base;
    this.size = base.size;
    this.sectorSize = base.sectorSize;
    this.#store = new SlotStore(options.directory, options.memoryBudget ?? 32 * 1024 * 1024);
  }

  /** Bytes held by the overlay, in whole blocks. */
  get storedBytes(): number {
    return this.#store.used * blockSize;
  }

  /** The ranges that were written, in ascending order and whole blocks. */
  *changes(): Generator<{ readonly offset: number; readonly length: number }> {
    const indices = [...this.#tables.keys()].sort((one, other) => one - other);
    for (const index of indices) {
      const table = this.#tables.get(index) as Uint32Array; // safe: the key of a table
      for (let at = 0; at < blocksInTable; at++) {
        if (table[at] === 0) continue;
        const first = at;
        while (at < blocksInTable && table[at] !== 0) at++;
        const offset = (index * blocksInTable + first) * blockSize;
        yield { offset, length: Math.min((at - first) * blockSize, this.size - offset) };
      }
    }
  }

  read(into: Uint8Array, offset: number): void {
    checkRead('overlay', this.size, offset, into.length);
    // The most frequent case by far: a drive that is only read is never written to.
    if (this.#store.used === 0) return this.#base.read(into, offset);
    for (let done = 0; done < into.length; ) {
      const { slot, length } = this.#run(offset + done, into.length - done);
      const part = into.subarray(done, done + length);
      if (slot < 0) this.#base.read(part, offset + done);
      else this.#store.read(part, slot, (offset + done) % blockSize);
      done += length;
    }
  }

  checkWritable(offset: number, length: number): void {
    checkWrite('overlay', this.size, offset, length);
    const blocks = Math.ceil((offset + length) / blockSize) - Math.floor(offset / blockSize);
    if (this.#store.used + blocks > slotLimit) throw new GuestfsError('ENOSPC', 'overlay: is full');
  }

  write(from: Uint8Array, offset: number): void {
    this.checkWritable(offset, from.length);
    for (let done = 0; done < from.length; ) {
      const at = offset + done;
      const within = at % blockSize;
      const left = from.length - done;
      if (within > 0 || left < blockSize) {
        const length = Math.min(left, blockSize - within);
        this.#writePart(from.subarray(done, done + length), at - within, within);
        done += length;
      } else {
        const length = left - (left % blockSize);
        this.#writeBlocks(from.subarray(done, done + length), at / blockSize);
        done += length;
      }
    }
  }

  /** Zeroes are stored like other bytes, so that the base's bytes do not reappear. */
  zero(offset: number, length: number, options?: ZeroOptions): void {
    zeroByWriting(this, offset, length, options);
  }

  span(offset: number, length: number): Span {
    checkRead('overlay', this.size, offset, length);
    if (length === 0) return { length: 0, hole: false };
    if (this.#store.used === 0) return this.#base.span(offset, length);
    if (this.#slotOf(Math.floor(offset / blockSize)) < 0) {
      return this.#base.span(offset, this.#baseRun(offset, length));
    }
    const end = offset + length;
    let block = Math.floor(offset / blockSize) + 1;
    while (block * blockSize < end && this.#slotOf(block) >= 0) block++;
    return { length: Math.min(block * blockSize, end) - offset, hole: false };
  }

  /** Nothing to do: written data ends with the overlay, and nothing reached the base. */
  flush(): void {}

  close(): void {
    this.#tables.clear();
    this.#store.close();
    this.#base.close();
  }

  #slotOf(block: number): number {
    const table = this.#tables.get(Math.floor(block / blocksInTable));
    return table ? (table[block % blocksInTable] as number) - 1 : -1; // safe: the remainder is below the length
  }

  /** The length of the unwritten range from `offset` on, at most `length` bytes. `offset` itself is unwritten. */
  #baseRun(offset: number, length: number): number {
    const end = offset + length;
    let block = Math.floor(offset / blockSize);
    while (block * blockSize < end) {
      const index = Math.floor(block / blocksInTable);
      const table = this.#tables.get(index);
      if (!table) {
        block = this.#nextTable(index, Math.ceil(end / (blockSize * blocksInTable))) * blocksInTable;
      } else {
        const found = table.findIndex((slot, at) => slot > 0 && at >= block % blocksInTable);
        if (found >= 0) return Math.min(end, (index * blocksInTable + found) * blockSize) - offset;
        block = (index + 1) * blocksInTable;
      }
    }
    return length;
  }

  /** The first table after `index` and before `end`, or `end`. The smaller set is searched: indices or tables. */
  #nextTable(index: number, end: number): number {
    if (this.#tables.size < end - index) {
      let next = end;
      for (const key of this.#tables.keys()) if (key > index && key < next) next = key;
      return next;
    }
    let next = index + 1;
    while (next < end && !this.#tables.has(next)) next++;
    return next;
  }

  /** The slot of the block at `offset` (−1: the base) and the length of the contiguous range from there. */
  #run(offset: number, length: number): { slot: number; length: number } {
    const end = offset + length;
    const first = Math.floor(offset / blockSize);
    const slot = this.#slotOf(first);
    if (slot < 0) return { slot, length: this.#baseRun(offset, length) };
    let block = first + 1;
    while (block * blockSize < end && this.#slotOf(block) === slot + block - first) block++;
    return { slot, length: Math.min(block * blockSize, end) - offset };
  }

  /** Changes some bytes of the block that begins at `start`. */
  #writePart(part: Uint8Array, start: number, within: number): void {
    const whole = new Uint8Array(blockSize);
    const present = Math.min(blockSize, this.size - start);
    if (part.length < present) this.read(whole.subarray(0, present), start);
    whole.set(part, within);
    this.#writeBlocks(whole, start / blockSize);
  }

  /** Stores whole blocks; a block with a slot keeps it. A slot is recorded only after its bytes are stored. */
  #writeBlocks(bytes: Uint8Array, firstBlock: number): void {
    const count = bytes.length / blockSize;
    for (let done = 0; done < count; ) {
      const known = this.#slotOf(firstBlock + done);
      const slot = known < 0 ? this.#store.used : known;
      let length = 1;
      while (done + length < count) {
        const next = this.#slotOf(firstBlock + done + length);
        if (known < 0 ? next >= 0 : next !== slot + length) break;
        length++;
      }
      this.#store.write(bytes.subarray(done * blockSize, (done + length) * blockSize), slot);
      if (known < 0) {
        this.#store.take(length);
        for (let i = 0; i < length; i++) this.#record(firstBlock + done + i, slot + i);
      }
      done += length;
    }
  }

  #record(block: number, slot: number): void {
    const index = Math.floor(block / blocksInTable);
    let table = this.#tables.get(index);
    if (!table) {
      table = new Uint32Array(blocksInTable);
      this.#tables.set(index, table);
    }
    table[block % blocksInTable] = slot + 1;
  }
}
