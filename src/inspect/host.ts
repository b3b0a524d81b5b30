/**
 * What inspection needs from its caller: the filesystems to examine, and the devices that a guest's fstab may name.
 */
import type { DeviceTable, FileSystem } from '../vfs/index.js';

/** A filesystem opened for a look. */
interface OpenedFileSystem {
  readonly fileSystem: FileSystem;
  /** Called once, when the look is over. */
  release(): void;
}

/** A device that may hold a filesystem, as in `list_filesystems`. */
export interface Candidate {
  /** Its name for `mount`: `/dev/sda1`, `btrfsvol:/dev/sda2/home`. */
  readonly mountable: string;
  /** `ext4`, `swap`, … */
  readonly type: string;
}

export interface InspectionHost {
  readonly devices: DeviceTable;
  /** In the order of `list_filesystems`, without devices on which nothing is recognised. */
  candidates(): Iterable<Candidate>;
  /** Opens a candidate for reading. If that throws, the candidate is left out. */
  open(candidate: Candidate): OpenedFileSystem;
  /** The MD arrays that are assembled here, for an fstab that names them otherwise; none unless told. */
  arrays?(): Iterable<{ readonly device: string; readonly uuid: string }>;
  /**
   * The partition that begins at an offset of the disk with an MBR signature, in eight small hexadecimal digits. None
   * unless told.
   */
  findMbrPartition?(signature: string, startInBytes: number): string | undefined;
  /** Told of what was left out, and why. */
  warn?(message: string): void;
}
