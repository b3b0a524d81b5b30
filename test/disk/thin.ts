/**
 * A small disk with an allocator, which any bytes are an image of: a table of 16-bit entries, then units. An entry names
 * a unit or says that there is none. A unit that several entries name is shared, as after a snapshot.
 */
import { GuestfsError, viewOf } from '../../src/base/index.js';
import { type Allocator, type Disk, MappedDisk, type Mapping, type Placement } from '../../src/disk/index.js';

const unitSize = 512;
const entrySize = 2;

/** What the units are used for, by the table as it is and as a crash would find it. */
class ThinAllocator implements Allocator {
  readonly unitSize = unitSize;
  readonly entries: Uint16Array;
  readonly #base: Disk;
  readonly #firstUnit: number;
  readonly #units: number;
  /** Of each unit: entries that name it, now and after a crash, and placements that are not linked yet. */
  readonly #now: Uint16Array;
  readonly #durable: Uint16Array;
  #isDirty = false;

  constructor(base: Disk, count: number, firstUnit: number, units: number) {
    this.#base = base;
    this.#firstUnit = firstUnit;
    this.#units = units;
    const table = new Uint8Array(count * entrySize);
    base.read(table, 0);
    const view = viewOf(table);
    this.entries = Uint16Array.from(
      { length: count },
      (_, at) => view.getUint16(at * entrySize) % (2 * units),
    );
    this.#now = this.#counts();
    this.#durable = this.#counts();
  }

  #counts(): Uint16Array {
    const counts = new Uint16Array(this.#units);
    for (const entry of this.entries) if (entry < this.#units) counts[entry] = (counts[entry] ?? 0) + 1;
    return counts;
  }

  isShared(unit: number): boolean {
    return (this.#now[unit] ?? 0) > 1;
  }

  isUsed(unit: number): boolean {
    return unit < this.#units;
  }

  offsetOf(unit: number): number {
    return (this.#firstUnit + unit) * unitSize;
  }

  get free(): number {
    return this.#now.reduce(
      (sum, count, unit) => sum + (count === 0 && this.#durable[unit] === 0 ? 1 : 0),
      0,
    );
  }

  checkRoom(length: number): void {
    this.#base.checkWritable(0, unitSize);
    if (length > this.free * unitSize) throw new GuestfsError('ENOSPC', 'thin disk: is full');
  }

  place(offset: number, length: number): Placement {
    const isFree = (unit: number) => this.#now[unit] === 0 && this.#durable[unit] === 0;
    const unit = this.#now.findIndex((_, at) => isFree(at));
    if (unit < 0) throw new GuestfsError('ENOSPC', 'thin disk: is full');
    const start = offset - (offset % unitSize);
    let count = 0;
    while (start + count * unitSize < offset + length && isFree(unit + count)) this.#now[unit + count++] = 1;
    return { disk: this.#base, offset: this.offsetOf(unit), start, length: count * unitSize };
  }

  link({ offset, start, length }: Placement): void {
    for (let done = 0; done < length; done += unitSize) {
      this.#giveUp((start + done) / unitSize);
      this.entries[(start + done) / unitSize] = (offset + done) / unitSize - this.#firstUnit;
    }
    this.#isDirty = true;
  }

  release({ offset, length }: Placement): void {
    for (let done = 0; done < length; done += unitSize)
      this.#now[(offset + done) / unitSize - this.#firstUnit] = 0;
  }

  clear(offset: number, length: number, discard: boolean): boolean {
    if (!discard) return false;
    for (let at = offset / unitSize; at < (offset + length) / unitSize; at++) {
      this.#giveUp(at);
      this.entries[at] = this.#units;
    }
    this.#isDirty = true;
    return true;
  }

  #giveUp(index: number): void {
    const unit = this.entries[index] ?? this.#units;
    if (unit < this.#units) this.#now[unit] = (this.#now[unit] ?? 0) - 1;
  }

  flush(data: () => void): void {
    data();
    if (!this.#isDirty) return;
    const table = new Uint8Array(this.entries.length * entrySize);
    const view = viewOf(table);
    for (const [at, entry] of this.entries.entries()) view.setUint16(at * entrySize, entry);
    this.#base.write(table, 0);
    this.#base.flush();
    this.#durable.set(this.#now);
    this.#isDirty = false;
  }
}

/** The disk, of which `base` is an image whatever it holds, and its allocator. */
export function thinDisk(base: Disk): { disk: Disk; allocator: ThinAllocator } {
  const all = Math.floor(base.size / unitSize);
  const count = Math.floor(all * 0.65);
  const firstUnit = Math.ceil((count * entrySize) / unitSize);
  const allocator = new ThinAllocator(base, count, firstUnit, all - firstUnit);
  const size = count * unitSize - 100; // the last unit is a part of one
  const lookup = (offset: number): Mapping => {
    const unit = allocator.entries[Math.floor(offset / unitSize)] ?? 0;
    const within = offset % unitSize;
    const length = Math.min(unitSize - within, size - offset);
    return allocator.isUsed(unit)
      ? {
          kind: 'data',
          length,
          disk: base,
          offset: allocator.offsetOf(unit) + within,
          shared: allocator.isShared(unit),
        }
      : { kind: 'hole', length };
  };
  const disk = new MappedDisk(size, lookup, {
    name: 'thin disk',
    writable: base.writable,
    sectorSize: base.sectorSize,
    allocator,
  });
  return { disk, allocator };
}
