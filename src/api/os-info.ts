/** What an inspection tells about one operating system. */
import type { Device, Mountable } from './action.js';

/** What is known of an operating system. null: the inspection could not tell. */
export interface OsInfo {
  /** The filesystem that the system's `/` is on. */
  readonly root: Mountable;
  /** `linux`, `windows`, `freebsd`, … */
  readonly type: string | null;
  /** `debian`, `fedora`, … */
  readonly distro: string | null;
  readonly productName: string | null;
  readonly productVariant: string | null;
  /** 0 if not known, as is `minorVersion`. */
  readonly majorVersion: number;
  readonly minorVersion: number;
  /** `x86_64`, `aarch64`, … */
  readonly arch: string | null;
  readonly hostname: string | null;
  /** libosinfo's short name: `debian12`. */
  readonly osinfo: string | null;
  readonly buildId: string | null;
  /** `deb`, `rpm`, … */
  readonly packageFormat: string | null;
  /** `apt`, `dnf`, … */
  readonly packageManagement: string | null;
  /** The filesystem for each directory, by the system's own configuration. */
  readonly mountpoints: ReadonlyMap<string, Mountable>;
  /** All filesystems of the system, swap too. */
  readonly filesystems: readonly Mountable[];
  /** Of Windows: the device for each drive letter. */
  readonly driveMappings: ReadonlyMap<string, Device>;
  /** Of Windows: the directory that Windows is in, `/Windows`; null for other systems. */
  readonly windowsSystemroot: string | null;
}
