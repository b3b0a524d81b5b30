/** The interface of every disk image format: a file in, a guest's disk out. */
import type { Disk, GrowableDisk, NamePurpose } from '../disk/index.js';
import type { ImageCheck } from '../formats/index.js';

/** What an image's header says. */
export interface ImageInfo {
  /** By qemu's name: `raw`, `qcow2`. */
  readonly format: string;
  /** What the guest sees, in bytes. */
  readonly virtualSizeInBytes: number;
  readonly backingFile?: string;
  readonly backingFormat?: string;
  readonly dataFile?: string;
  /** The logical sector of the guest's disk, in the formats that tell it. */
  readonly sectorSizeInBytes?: 512 | 4096;
  /** The files that hold the data of an image that is only a description of them, in the order of the disk. */
  readonly extentFiles?: readonly string[];
  /** What images over this one know it by: the content id of a VMDK, the unique id of a VHD. */
  readonly identity?: string;
  readonly encrypted?: boolean;
  /** Facts by qemu-img's names (`cluster-size`, `compat`, `compression-type`, …), for `guestfs info`. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** The number of internal snapshots in the header; absent in formats without snapshots. They are read on demand. */
  readonly snapshotCount?: number;
}

/** An internal snapshot. */
export interface ImageSnapshot {
  readonly id: string;
  readonly name: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly virtualSizeInBytes: number;
  readonly vmStateSizeInBytes: number;
}

/** What a format may ask of the one who opens it. */
export interface ImageContext {
  /**
   * Opens a file that the image names, relative to the image; throws EPERM if the policy forbids it. `check` gets what
   * the header of a backing image says, and throws if that is not the image that is meant.
   */
  openNamed(
    name: string,
    purpose: NamePurpose,
    format: string | undefined,
    check?: (backing: ImageInfo) => void,
  ): Disk;
  /** Names of files near the image, for a format that knows its parent by an id alone. {@link openNamed} takes them. */
  neighbours?(): readonly string[];
  /**
   * Whether writes are to change the image. The file is then opened so; where the image cannot be written, opening it
   * throws EROFS, CorruptError or UnsupportedError.
   */
  readonly writable?: boolean;
  /** The internal snapshot to show, by id or name, in place of the present state. */
  readonly snapshot?: string;
  readonly warn: (message: string) => void;
  /** How many bytes of tables, and again of decoded clusters, the image may keep in memory. */
  readonly memoryBudgetInBytes?: number;
}

/** What a format may ask of the one who changes the size of an image. */
export type ResizeContext = Pick<ImageContext, 'openNamed' | 'warn'>;

/** One format. Those that are only recognised have neither `info` nor `open`: see {@link isReadable}. */
export interface ImageFormat {
  readonly name: string;
  /** Whether the file is of this format. Pure; never throws. */
  probe(file: Disk): boolean;
  /** Reads only the header, in bounded time and memory for any contents; opens no other file. */
  info?(file: Disk): ImageInfo;
  /** The internal snapshots, each read on demand. */
  snapshots?(file: Disk): Iterable<ImageSnapshot>;
  /** Checks the image's own tables; its file alone is read. */
  check?(file: Disk, progress?: (position: number, total: number) => void): ImageCheck;
  /** Puts right what {@link check} finds: `leaks` gives lost space back, `all` also corrects counts that are too low. */
  repair?(file: GrowableDisk, what: 'leaks' | 'all'): void;
  /** Makes the guest's disk another size. What lies behind a smaller one is lost. */
  resize?(file: GrowableDisk, sizeInBytes: number, context: ResizeContext): void;
  /** Whether {@link open} can give a disk that is written to. */
  readonly writes?: true;
  /** The guest's disk. It owns `file`, unless this throws. */
  open?(file: Disk, context: ImageContext): Disk;
}

/** A format whose images can be opened. */
export type ReadableFormat = ImageFormat & Required<Pick<ImageFormat, 'info' | 'open'>>;

export function isReadable(format: ImageFormat): format is ReadableFormat {
  return format.info !== undefined && format.open !== undefined;
}
