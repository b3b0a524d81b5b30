/**
 * Collects the partitions of a table for which the kernel makes devices: parts beyond the end of the disk are left
 * out.
 */
import type { Disk } from '../disk/index.js';
import { highestPartitionNumber, type Partition } from './scheme.js';

/** A scheme's facts about a partition, beside its place. */
type Facts = Partial<Omit<Partition, 'number' | 'startInBytes' | 'sizeInBytes'>>;

export class PartitionCollector {
  readonly partitions: Partition[] = [];
  readonly warnings: string[] = [];
  readonly #sectorSize: number;
  readonly #sectorCount: number;

  /** `sectorSize`: the unit of places and sizes, in bytes. */
  constructor(disk: Disk, sectorSize: number) {
    this.#sectorSize = sectorSize;
    this.#sectorCount = Math.floor(disk.size / sectorSize);
  }

  /** Start and size are in sectors, together at most 2^40, so both are safe numbers, also in bytes. */
  add(number: number, start: number, size: number, facts: Facts = {}): void {
    // An empty partition takes its number but gets no device.
    if (size === 0) return;
    if (number > highestPartitionNumber) {
      this.warnings.push(`partition ${number} has a number above ${highestPartitionNumber}: left out`);
      return;
    }
    if (start >= this.#sectorCount) {
      this.warnings.push(`partition ${number} starts at sector ${start}, past the end of the disk: left out`);
      return;
    }
    const inside = Math.min(size, this.#sectorCount - start);
    if (inside < size)
      this.warnings.push(`partition ${number} has ${size} sectors, of which the disk has only ${inside}`);
    const sizeInBytes = inside * this.#sectorSize;
    this.partitions.push({
      kind: 'primary',
      bootable: false,
      deviceSizeInBytes: sizeInBytes,
      ...facts,
      number,
      startInBytes: start * this.#sectorSize,
      sizeInBytes,
    });
  }

  /** In the order of their numbers. */
  get inOrder(): readonly Partition[] {
    return [...this.partitions].sort((a, b) => a.number - b.number);
  }
}
