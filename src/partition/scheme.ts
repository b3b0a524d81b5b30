/** The shape of every partition scheme: a disk in, a table of partitions out. */
import type { Disk } from '../disk/index.js';

/** One partition. Offsets and sizes in bytes. */
export interface Partition {
  /** The number in its device name: `/dev/sda5` is 5. From 1. */
  readonly number: number;
  readonly startInBytes: number;
  /** Its range. A partition that runs past the end of the disk is cut off there, as in Linux. */
  readonly sizeInBytes: number;
  /**
   * The size of its block device: {@link sizeInBytes}. For an extended partition, it is two sectors of 512 bytes or
   * one larger sector: Linux shows no more, so that nobody writes over the logical partitions through it.
   */
  readonly deviceSizeInBytes: number;
  /** Its kind in an MBR (a part of a BSD slice is `logical`); partitions of other schemes are `primary`. */
  readonly kind: 'primary' | 'extended' | 'logical';
  /** MBR: the active flag. GPT: attribute bit 2, "legacy BIOS bootable". */
  readonly bootable: boolean;
  /** MBR: the type byte. */
  readonly mbrId?: number;
  /** GPT: type, unique GUID (upper case), attribute bits. */
  readonly gptType?: string;
  readonly gptGuid?: string;
  /** GPT, Apple, Amiga. */
  readonly name?: string;
  readonly attributes?: bigint;
  /** In other schemes, the kind in the table: a number or a word of the scheme. */
  readonly labelType?: number | string;
  /**
   * False for entries for which Linux makes a device although they are the whole disk, free space, or a part of a
   * slice.
   */
  readonly isListed?: false;
}

/** The schemes by parted's names, as `part_get_parttype` answers. */
export type SchemeName = 'gpt' | 'msdos' | 'mac' | 'sun' | 'dvh' | 'bsd' | 'amiga' | 'aix' | 'atari' | 'pc98';

/** A partition table that was read and checked. */
export interface PartitionTable {
  readonly scheme: SchemeName;
  /** In the order of their numbers. */
  readonly partitions: readonly Partition[];
  /** GPT: the disk's GUID. MBR: undefined. */
  readonly diskGuid?: string;
  /** MBR: the disk signature as eight hexadecimal digits, from which partition UUIDs are made (`SIGNATURE-NN`). */
  readonly diskSignature?: string;
  /** Absent: Linux makes a device of each partition. False: only parted knows the scheme. */
  readonly hasDevices?: false;
  /** Damage that could be worked around (the backup header was used, …). */
  readonly warnings: readonly string[];
}

/** Linux gives a disk at most 256 minor numbers: the disk itself and partitions 1 to 255. */
export const highestPartitionNumber = 255;

/** One scheme. */
export interface PartitionScheme {
  readonly name: SchemeName;
  /** Whether the disk has such a table. Pure; never throws. */
  probe(disk: Disk, sectorSize: number): boolean;
  /** Reads the table. `sectorSize`: 512 or 4096. CorruptError if damage leaves nothing usable. */
  open(disk: Disk, sectorSize: number): PartitionTable;
}
