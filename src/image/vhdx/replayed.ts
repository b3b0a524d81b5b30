/** A VHDX file with the changes of its log, which lie in memory: sectors that were written, and ranges of zeroes. */
import { CorruptError } from '../../base/index.js';
import { type Disk, MappedDisk, type Mapping, MemoryDisk, PaddedDisk } from '../../disk/index.js';
import { logSector } from './layout.js';

interface Range {
  readonly start: number;
  end: number;
}

/** The index of the last of some sorted numbers that is at most `value`; −1 for none. */
function lastUpTo(length: number, at: (index: number) => number, value: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(middle) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** It does not own the file. */
export class ReplayedDisk implements Disk {
  readonly writable = false;
  readonly #file: Disk;
  /** Sectors by their place in the file. What is here is newer than the ranges of zeroes. */
  readonly #sectors = new Map<number, Disk>();
  #zeroes: Range[] = [];
  /** The keys of the map in order. */
  #places: readonly number[] = [];
  /** Sectors that ranges of zeroes may still look at. */
  #looksLeft: number;
  #mapped: MappedDisk;

  constructor(file: Disk, looks: number) {
    this.#file = file;
    this.#looksLeft = looks;
    this.#mapped = this.#map(file.size);
  }

  get size(): number {
    return this.#mapped.size;
  }

  get sectorSize(): number {
    return this.#file.sectorSize;
  }

  /** Replaces a sector. */
  putSector(offset: number, sector: Uint8Array): void {
    this.#sectors.set(offset, new MemoryDisk(sector));
  }

  /** Replaces a range by zeroes. */
  zeroRange(start: number, end: number): void {
    if (!(end <= Number.MAX_SAFE_INTEGER)) {
      throw new CorruptError('VHDX log', 'has an impossible range of zeroes', { start });
    }
    if (start === end) return;
    const inRange = (end - start) / logSector;
    this.#looksLeft -= Math.min(inRange, this.#sectors.size);
    if (this.#looksLeft < 0) throw new CorruptError('VHDX log', 'has too many ranges of zeroes');
    if (inRange < this.#sectors.size) {
      for (let at = start; at < end; at += logSector) this.#sectors.delete(at);
    } else {
      for (const at of this.#sectors.keys()) if (at >= start && at < end) this.#sectors.delete(at);
    }
    this.#zeroes.push({ start, end });
  }

  /** Ends the changes. The file is at least `least` bytes long from now on. */
  end(least: number): void {
    this.#places = [...this.#sectors.keys()].sort((a, b) => a - b);
    const joined: Range[] = [];
    for (const range of this.#zeroes.sort((a, b) => a.start - b.start)) {
      const last = joined.at(-1);
      if (last && range.start <= last.end) last.end = Math.max(last.end, range.end);
      else joined.push({ ...range });
    }
    this.#zeroes = joined;
    const lastSector = this.#places.at(-1);
    const ends = [lastSector === undefined ? 0 : lastSector + logSector, joined.at(-1)?.end ?? 0];
    this.#mapped = this.#map(Math.max(this.#file.size, least, ...ends));
  }

  #map(size: number): MappedDisk {
    const file = new PaddedDisk(this.#file, size);
    return new MappedDisk(size, (offset) => this.#at(offset, file), { name: 'VHDX file' });
  }

  #at(offset: number, file: Disk): Mapping {
    const place = offset - (offset % logSector);
    const sector = this.#sectors.get(place);
    if (sector) {
      const skip = offset - place;
      return { kind: 'data', length: logSector - skip, disk: sector, offset: skip };
    }
    const nextSector =
      this.#places[lastUpTo(this.#places.length, (i) => this.#places[i] ?? 0, offset) + 1] ?? file.size;
    const index = lastUpTo(this.#zeroes.length, (i) => this.#zeroes[i]?.start ?? 0, offset);
    const zeroes = this.#zeroes[index];
    if (zeroes && offset < zeroes.end)
      return { kind: 'hole', length: Math.min(zeroes.end, nextSector) - offset };
    const end = Math.min(nextSector, this.#zeroes[index + 1]?.start ?? file.size);
    return { kind: 'data', length: end - offset, disk: file, offset };
  }

  read(into: Uint8Array, offset: number): void {
    this.#mapped.read(into, offset);
  }

  checkWritable(offset: number, length: number): void {
    this.#mapped.checkWritable(offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    this.checkWritable(offset, from.length);
  }

  zero(offset: number, length: number): void {
    this.checkWritable(offset, length);
  }

  span(offset: number, length: number): ReturnType<Disk['span']> {
    return this.#mapped.span(offset, length);
  }

  flush(): void {}

  close(): void {}
}
