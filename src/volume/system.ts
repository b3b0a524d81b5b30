/**
 * The shapes of volume systems and locks. A volume system puts several disks together and gives volumes; a lock gives
 * one disk for one disk, to whoever has a key.
 */
import type { CorruptError, UnsupportedError } from '../base/index.js';
import type { Disk, Kind } from '../disk/index.js';

/** A disk that may be a member. */
export interface Member {
  /** The device name, `/dev/sda2`. */
  readonly device: string;
  readonly disk: Disk;
}

/** A volume that can be used as a block device. */
export interface Volume {
  /**
   * By which it is known again when its members are put together anew: its UUID of device-mapper, where it has one.
   */
  readonly id: string;
  /** Changes when its bytes lie elsewhere on its members: a volume of the same id and layout is the same disk. */
  readonly layout: string;
  /** The devices of the members that it may lie on. */
  readonly members: readonly string[];
  /** `/dev/VG/LV`. */
  readonly device: string;
  /** The other name, of what is a device of device-mapper: `/dev/mapper/VG-LV`. */
  readonly mapperName: string | undefined;
  readonly sizeInBytes: number;
  /** Whether Linux gives it a device by itself. */
  readonly active: boolean;
  /** Whether it gets a device by command: what it needs is there, and nothing forbids it. */
  readonly activatable: boolean;
  /** Over how many disks it is striped, if it is, and in which pieces. */
  readonly stripes: { readonly count: number; readonly sizeInBytes: number } | undefined;
  /**
   * Opens it; closing it leaves the members open. A segment type that is not implemented is an UnsupportedError by
   * its name, a missing member a GuestfsError naming it, a member too small a CorruptError.
   */
  open(): Disk;
}

/** What is wrong with members, or with what they amount to. */
export interface MemberProblem {
  readonly message: string;
  /** Of bytes that cannot be read: the device that they are on, and why. */
  readonly device?: string;
  readonly error?: CorruptError | UnsupportedError;
}

/** What the members on hand amount to. */
export interface Assembly<State = unknown> {
  /** What the system's own actions answer from. */
  readonly state: State;
  /** Those that are used by themselves, in the order in which Linux activates them. */
  readonly volumes: readonly Volume[];
  readonly problems: readonly MemberProblem[];
  /** The device of a member, by the identifier that the member has of its own. */
  findMember(id: string): string | undefined;
  /** Why a volume of this name has no device; undefined where no volume has the name. */
  absence(name: string): string | undefined;
  /** The minor numbers that volumes have as devices of device-mapper, where `hasNumber` says that they have one. */
  minors(hasNumber: (volume: Volume) => boolean): ReadonlyMap<number, Volume>;
}

/** A volume system. */
export interface MemberKind<State = unknown> extends Kind {
  readonly role: 'member';
  /** Whether the kernel looks for partitions on its volumes: on arrays, and not on devices of device-mapper. */
  readonly hasPartitions?: boolean;
  /** Whether members may lie on volumes of the same system. lvm2 looks for none there (`scan_lvs` of lvm.conf). */
  readonly nests?: boolean;
  /**
   * Puts together what is here. Pure: called again whenever members come or go. Bad bytes never throw: they are
   * problems of the assembly, and what they concern is left out.
   */
  assemble?(members: readonly Member[]): Assembly<State>;
}

/** A secret, and what it fits. A session keeps those that it was given; no layer does. */
export interface LockKey {
  readonly kind: 'passphrase' | 'recovery' | 'raw' | 'file';
  readonly bytes: Uint8Array;
  /** The device or the UUID that it is for; every one, where that is left out. */
  readonly for?: string;
}

/** A lock. */
export interface LockedKind extends Kind {
  readonly role: 'locked';
  /** The kinds of keys that may fit. */
  readonly takes?: readonly LockKey['kind'][];
  /**
   * The disk inside; closing it leaves `disk` open. EPERM where no key fits. May take a second, in which it calls
   * `work.checkpoint` again and again.
   */
  unlock?(disk: Disk, keys: readonly LockKey[], options: { readonly readonly: boolean }): Disk;
}
