/** What the handle's method `makeFilesystem` asks a backend for, and what it answers. */

/** The types that are made. */
export type NewFilesystemType = 'ext2' | 'ext3' | 'ext4' | 'vfat';

/** One filesystem in one new image. */
export interface FilesystemRequest {
  /** Paths of directories and archives of the host: later ones go over earlier ones. */
  readonly sources: readonly string[];
  /** The new image. What has the name is replaced. */
  readonly image: string;
  readonly format: 'raw' | 'qcow2';
  readonly type: NewFilesystemType;
  readonly label?: string;
  /** The table whose last partition the filesystem is; without one, it is the whole disk. */
  readonly partition?: 'gpt' | 'mbr';
  /** What an EFI system partition before it holds: paths as those of the sources. Only with a table. */
  readonly efi?: readonly string[];
  /** How much is to be free, in bytes. */
  readonly freeInBytes: number;
}

/** A filesystem that was made. */
export interface MadeFilesystem {
  /** Of the disk, in bytes. */
  readonly sizeInBytes: number;
  /** As `blkid` has it. */
  readonly uuid: string;
  /** The same of the EFI system partition. */
  readonly efiUuid?: string;
  /** SHA-256 of all that went in, as hexadecimal digits. */
  readonly digest: string;
  /** Changes when a newer version makes other bytes of the same content. */
  readonly layoutVersion: number;
  /** Names below the root. */
  readonly entries: number;
}
