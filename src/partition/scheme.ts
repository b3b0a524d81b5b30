/** The shape of every partition scheme: a disk in, a table of partitions out. */
import type { Disk } from '../disk/index.js';

/** One partition. Offsets and sizes in bytes. */
export interface Partition {
  /** The number in its device name: `/dev/sda5` is 5. From 1. */
  readonly number: number;
  readonly startInBytes: number;
  /** What it covers. One that runs past the end of the disk is cut off there, as Linux does. */
  readonly sizeInBytes: number;
  /**
   * How large its block device is: {@link sizeInBytes}, but for an extended partition two sectors of 512 bytes or one
   * larger sector, which is what Linux shows so that nobody writes over the logical partitions through it.
   */
  readonly deviceSizeInBytes: number;
  /** Where it stands in an MBR; every GPT partition is `primary`. */
  readonly kind: 'primary' | 'extended' | 'logical';
  /** MBR: the active flag. GPT: attribute bit 2, "legacy BIOS bootable". */
  readonly bootable: boolean;
  /** MBR: the type byte. */
  readonly mbrId?: number;
  /** GPT: type, unique GUID (upper case), name, attribute bits. */
  readonly gptType?: string;
  readonly gptGuid?: string;
  readonly name?: string;
  readonly attributes?: bigint;
}

/** A partition table that was read and checked. */
export interface PartitionTable {
  /** By parted's name, as `part_get_parttype` answers. */
  readonly scheme: 'gpt' | 'msdos';
  /** In the order of their numbers. */
  readonly partitions: readonly Partition[];
  /** GPT: the disk's GUID. MBR: undefined. */
  readonly diskGuid?: string;
  /** MBR: the disk signature as eight hexadecimal digits, from which partition UUIDs are made (`SIGNATURE-NN`). */
  readonly diskSignature?: string;
  /** What was damaged and could be lived with (the backup header used, …). */
  readonly warnings: readonly string[];
}

/** Linux gives a disk at most 256 minor numbers: the disk itself and partitions 1 to 255. */
export const highestPartitionNumber = 255;

/** One scheme. */
export interface PartitionScheme {
  readonly name: 'gpt' | 'msdos';
  /** Whether the disk has such a table. Pure, never throws on any bytes. */
  probe(disk: Disk, sectorSize: number): boolean;
  /** Reads the table. `sectorSize`: 512 or 4096. Damage that leaves nothing usable is a CorruptError. */
  open(disk: Disk, sectorSize: number): PartitionTable;
}
