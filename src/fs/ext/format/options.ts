/** What a filesystem that is to be made is asked to be: the options of mke2fs, as libguestfs gives them. */

/** A journal on another device. */
export interface JournalDevice {
  readonly uuid: Uint8Array;
  /** In bytes. */
  readonly blockSize: number;
  /** `s_journal_dev`: what the kernel calls the device, major and minor number. */
  readonly number: number;
}

export interface FormatOptions {
  /** Decides the defaults, with {@link usage} and the size. */
  readonly type: 'ext2' | 'ext3' | 'ext4';
  /** Types of use, as mke2fs takes them after `-T`: `small`, `big`, `news`, `largefile`, … */
  readonly usage?: string;
  /** Features to turn on and off, as mke2fs takes them after `-O`. */
  readonly features?: string;
  /** In bytes: a power of two, 1024 to 65536. */
  readonly blockSize?: number;
  /** In units of {@link blockSize}; of 1024 bytes if none is given. */
  readonly blockCount?: number;
  readonly blocksPerGroup?: number;
  /** Groups that have their tables together: a power of two. */
  readonly groupsPerFlex?: number;
  readonly bytesPerInode?: number;
  readonly inodeSize?: number;
  readonly inodeCount?: number;
  /** In bytes. */
  readonly journalSize?: number;
  /** The journal is on another device. */
  readonly journal?: JournalDevice;
  /** Share of the blocks that only root may use: 0 to 50. By default 5. */
  readonly reservedPercent?: number;
  readonly label?: string;
  readonly lastMounted?: string;
  /** `linux`, `hurd`, `masix`, `freebsd`, `lites`, or a number. */
  readonly creator?: string;
  /** Blocks that the filesystem can grow to while it is mounted. */
  readonly growsTo?: number;
  /** Blocks of a RAID's chunk; as in mke2fs, sixteen bits of it count. */
  readonly stride?: number;
  readonly stripeWidth?: number;
  /** The inode tables that are not in use yet are left as they are: the kernel clears them later. */
  readonly lazyTables?: boolean;
  /** The blocks of the journal are left as they are. */
  readonly lazyJournal?: boolean;
  readonly testFilesystem?: boolean;
  /** Superblocks and group descriptors alone, to find files again of which only these are lost. */
  readonly superblocksOnly?: boolean;
  /** The disk is new, and all of it reads as zeroes: nothing is cleared, or looked at. */
  readonly blank?: boolean;
  /** All that was on the disk is discarded first. */
  readonly discard?: boolean;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  /** 16 bytes, with which the names of directories are hashed. */
  readonly hashSeed: Uint8Array;
  /** The time of making, in seconds since 1970. */
  readonly time: number;
}
