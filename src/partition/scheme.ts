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
  /** Where it stands in an MBR (a part of a BSD slice is `logical`); every partition of another scheme is `primary`. */
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
  /** Other schemes: what the table says of its kind, a number or a word of the scheme's own. */
  readonly labelType?: number | string;
  /** False: Linux makes a device of it, but it stands for the whole disk or for free space, or is a part of a slice. */
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
  /** Absent: Linux makes a device of each partition. False: it knows the scheme not, as parted does. */
  readonly hasDevices?: false;
  /** What was damaged and could be lived with (the backup header used, …). */
  readonly warnings: readonly string[];
}

/** Linux gives a disk at most 256 minor numbers: the disk itself and partitions 1 to 255. */
export const highestPartitionNumber = 255;

/** One scheme. */
export interface PartitionScheme {
  readonly name: SchemeName;
  /** Whether the disk has such a table. Pure, never throws on any bytes. */
  probe(disk: Disk, sectorSize: number): boolean;
  /** Reads the table. `sectorSize`: 512 or 4096. Damage that leaves nothing usable is a CorruptError. */
  open(disk: Disk, sectorSize: number): PartitionTable;
}
