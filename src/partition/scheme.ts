/** The shape of every partition scheme: a disk in, a table of partitions out. */
import type { Disk } from '../disk/index.js';

/** One partition. Offsets and sizes in bytes. */
export interface Partition {
  /** The number in its device name: `/dev/sda5` is 5. From 1. */
  readonly number: number;
  readonly startInBytes: number;
  readonly sizeInBytes: number;
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

/** One scheme. */
export interface PartitionScheme {
  readonly name: 'gpt' | 'msdos';
  /** Whether the disk has such a table. Pure, never throws on any bytes. */
  probe(disk: Disk, sectorSize: number): boolean;
  /** Reads the table. `sectorSize`: 512 or 4096. */
  open(disk: Disk, sectorSize: number): PartitionTable;
}
