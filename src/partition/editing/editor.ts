/**
 * What a partition table that is being changed looks like. Changes are made in memory and checked one by one; `write`
 * stores all of them in an order in which every crash leaves the old table or the new one.
 */
import { GuestfsError } from '../../base/index.js';

/** Sectors of the disk, both belonging to the range. Exported for the compiler. */
export interface SectorRange {
  readonly first: number;
  readonly last: number;
}

/** A partition to be made. */
export interface NewPartition extends SectorRange {
  /** GPT has primary ones only. */
  readonly kind: 'primary' | 'extended' | 'logical';
  /** The type byte of an MBR. Default: Linux, or extended. */
  readonly mbrId?: number;
  /** Of GPT; no name by default, and Linux's type. */
  readonly name?: string;
  readonly gptType?: string;
}

/** A table that can be changed. EINVAL for a partition that is not there, or for a place that is not free. */
export interface TableEditor {
  readonly scheme: 'msdos' | 'gpt';
  /** Sectors that partitions can have. */
  readonly usable: SectorRange;
  /** Returns the number of the new partition. */
  add(partition: NewPartition): number;
  remove(number: number): void;
  /** Moves the end. */
  resize(number: number, lastSector: number): void;
  /** MBR: the active flag, which no other partition then has. GPT: the type of an EFI system partition. */
  setBootable(number: number, bootable: boolean): void;
  /** Stores the changes, durably. Nothing is written where the disk refuses any of it. */
  write(): void;
}

export function noSuchPartition(number: number): GuestfsError {
  return new GuestfsError('EINVAL', `there is no partition ${number}`);
}

/** EINVAL for a range that is none, or that is not all inside of another. */
export function checkInside({ first, last }: SectorRange, usable: SectorRange, what: string): void {
  if (last < first)
    throw new GuestfsError('EINVAL', `the end, sector ${last}, is before the start, sector ${first}`);
  if (first < usable.first || last > usable.last)
    throw new GuestfsError(
      'EINVAL',
      `sectors ${first} to ${last} are not all in ${what}, sectors ${usable.first} to ${usable.last}`,
    );
}

/** EINVAL for a range that shares sectors with another partition. */
export function checkFree(
  range: SectorRange,
  taken: Iterable<SectorRange & { readonly number: number }>,
): void {
  for (const other of taken)
    if (range.first <= other.last && other.first <= range.last)
      throw new GuestfsError(
        'EINVAL',
        `sectors ${range.first} to ${range.last} overlap with partition ${other.number}, sectors ${other.first} to ${other.last}`,
      );
}
