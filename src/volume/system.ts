/** The shape of a volume system: several disks in, volumes out. */
import type { Disk } from '../disk/index.js';

/** A disk that may be a member. */
export interface Member {
  /** The device name, `/dev/sda2`. */
  readonly device: string;
  readonly disk: Disk;
}

/** A volume that can be used as a block device. */
export interface Volume {
  /** `/dev/VG/LV`. */
  readonly device: string;
  /** The other name: `/dev/mapper/VG-LV`. */
  readonly mapperName: string;
  readonly uuid: string;
  readonly sizeInBytes: number;
  /**
   * Opens it; closing it leaves the members open. A segment type that is not implemented is an UnsupportedError by its
   * name, a missing member a GuestfsError naming it, a member too small a CorruptError.
   */
  open(): Disk;
}
