/**
 * The block devices of a session, by the names that callers use: whole drives in the order in which they were added,
 * their partitions, LVM's volumes, and all other names of these devices (`/dev/hda`, `/dev/vda1`, `/dev//sda`, and
 * the links of udev: see device-links.ts).
 */

import { GuestfsError, systemError } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import {
  canonicalDriveName,
  driveName,
  isSubvolume,
  partitionName,
  subvolumePrefix,
} from '../formats/index.js';
import { type DeviceProperty, type LinkTarget, parseDeviceLink, tidyDevicePath } from './device-links.js';

type DeviceKind = 'drive' | 'partition' | 'volume';

/** Finds the device with a property, by its contents, and returns its name. */
type PropertyLookup = (property: DeviceProperty, value: string) => string | undefined;

interface DeviceParts {
  readonly name: string;
  readonly kind: DeviceKind;
  readonly parent?: BlockDevice | undefined;
  readonly number?: number | undefined;
  readonly label?: string | undefined;
  readonly mapperName?: string | undefined;
  readonly sectorSize: number;
  readonly readonly: boolean;
  readonly open: () => Disk;
}

/** Why there is no device of a name, in a few words, if the reason is known. */
type AbsenceReason = (name: string) => string | undefined;

/** One block device. */
export class BlockDevice {
  /** `/dev/sda`, `/dev/sda1`, `/dev/VG/LV`. */
  readonly name: string;
  readonly kind: DeviceKind;
  /** The drive or volume that a partition is on. */
  readonly parent: BlockDevice | undefined;
  /** A partition's number; from 1. */
  readonly number: number | undefined;
  /** A drive's label, which makes the name `/dev/disk/guestfs/LABEL`. */
  readonly label: string | undefined;
  /** A volume's other name: `/dev/mapper/VG-LV`. */
  readonly mapperName: string | undefined;
  /** In bytes: 512 or 4096. */
  readonly sectorSize: number;
  readonly #openDisk: () => Disk;
  #disk: Disk | undefined;
  #readonly: boolean;

  constructor(parts: DeviceParts) {
    this.name = parts.name;
    this.kind = parts.kind;
    this.parent = parts.parent;
    this.number = parts.number;
    this.label = parts.label;
    this.mapperName = parts.mapperName;
    this.sectorSize = parts.sectorSize;
    this.#readonly = parts.readonly;
    this.#openDisk = parts.open;
  }

  /** Its bytes. Opened at the first call; the table closes the disk. */
  get disk(): Disk {
    this.#disk ??= this.#openDisk();
    return this.#disk;
  }

  /**
   * Whether writing is refused: by its own flag, or by that of the drive that a partition is on. A volume has its own
   * flag alone: Linux's device mapper writes to members that are read-only (block/blk-core.c, bio_check_ro, warns and
   * goes on).
   */
  get readonly(): boolean {
    return this.#readonly || (this.parent?.readonly ?? false);
  }

  /** `blockdev_setro`, `blockdev_setrw`. */
  setReadonly(readonly: boolean): void {
    this.#readonly = readonly;
  }

  /** Closes the disk if it was opened. */
  close(): void {
    this.#disk?.close();
    this.#disk = undefined;
  }
}

interface DriveOptions {
  readonly open: () => Disk;
  readonly label?: string;
  /** In bytes; 512 unless told otherwise. */
  readonly sectorSize?: number;
  readonly readonly?: boolean;
}

interface PartitionOptions {
  readonly number: number;
  readonly open: () => Disk;
}

interface VolumeOptions {
  /** `/dev/VG/LV`. */
  readonly name: string;
  readonly mapperName?: string | undefined;
  readonly sectorSize?: number;
  readonly open: () => Disk;
}

/** The name for `mount` of a device, or of a subvolume on it. */
export function mountableName({ name }: BlockDevice, subvolume: string | undefined): string {
  return subvolume === undefined ? name : `${subvolumePrefix}${name}/${subvolume}`;
}

/** A device that can be mounted, perhaps with a subvolume of its btrfs filesystem. */
interface MountSource {
  readonly device: BlockDevice;
  readonly subvolume: string | undefined;
}

const devicePrefix = '/dev/';
export class DeviceTable {
  readonly #drives: BlockDevice[] = [];
  readonly #partitions = new Map<BlockDevice, readonly BlockDevice[]>();
  #volumes: readonly BlockDevice[] = [];
  readonly #byName = new Map<string, BlockDevice>();
  readonly #lookup: PropertyLookup;
  readonly #absence: AbsenceReason;

  /** `lookup` resolves the names in `/dev/disk/by-…`; without it, no such name exists. */
  constructor(lookup: PropertyLookup = () => undefined, absence: AbsenceReason = () => undefined) {
    this.#lookup = lookup;
    this.#absence = absence;
  }

  /** Adds a whole drive under the next name. */
  addDrive(options: DriveOptions): BlockDevice {
    const { label, open } = options;
    if (label !== undefined && this.#drives.some((drive) => drive.label === label)) {
      throw new GuestfsError('EEXIST', `${label}: another drive has this label`);
    }
    const drive = new BlockDevice({
      name: driveName(this.#drives.length),
      kind: 'drive',
      label,
      sectorSize: options.sectorSize ?? 512,
      readonly: options.readonly ?? false,
      open,
    });
    this.#drives.push(drive);
    this.#byName.set(drive.name, drive);
    return drive;
  }

  /**
   * Replaces the partitions of a drive or volume, as when its table is read again. Devices among them are kept as they
   * are. Partitions of a volume have no name of the kernel's: `/dev/mapper/VG-LV-part1` can be no volume's name.
   */
  setPartitions(parent: BlockDevice, partitions: readonly (PartitionOptions | BlockDevice)[]): void {
    this.#drop((this.#partitions.get(parent) ?? []).filter((device) => !partitions.includes(device)));
    const devices = partitions.map((partition) => {
      if (partition instanceof BlockDevice) return partition;
      const { number, open } = partition;
      return new BlockDevice({
        name:
          parent.mapperName === undefined
            ? partitionName(parent.name, number)
            : `${parent.mapperName}-part${number}`,
        kind: 'partition',
        parent,
        number,
        sectorSize: parent.sectorSize,
        readonly: false,
        open,
      });
    });
    this.#partitions.set(parent, devices);
    for (const device of devices) this.#byName.set(device.name, device);
  }

  /** Replaces the volumes, after a scan or an activation. Devices that are among them stay the same objects. */
  setVolumes(volumes: readonly (VolumeOptions | BlockDevice)[]): void {
    const kept = new Set(volumes);
    const gone = this.#volumes.filter((volume) => !kept.has(volume));
    for (const volume of gone) this.#drop(this.#partitions.get(volume) ?? []);
    for (const volume of gone) this.#partitions.delete(volume);
    this.#drop(gone);
    this.#volumes = volumes.map((volume) => {
      if (volume instanceof BlockDevice) return volume;
      const { name, mapperName, sectorSize = 512, open } = volume;
      return new BlockDevice({ name, kind: 'volume', mapperName, sectorSize, readonly: false, open });
    });
    for (const device of this.#volumes) this.#byName.set(device.name, device);
  }

  #drop(devices: readonly BlockDevice[]): void {
    for (const device of devices) {
      this.#byName.delete(device.name);
      device.close();
    }
  }

  /** Closes every disk and forgets every device. */
  close(): void {
    this.#drop(this.#volumes);
    for (const partitions of this.#partitions.values()) this.#drop(partitions);
    this.#drop(this.#drives);
    this.#volumes = [];
    this.#partitions.clear();
    this.#drives.length = 0;
  }

  /** Whole drives, in order. */
  get drives(): readonly BlockDevice[] {
    return this.#drives;
  }

  /** The partitions of one drive or volume, or of all in the order of the drives, then of the volumes. */
  partitions(parent?: BlockDevice): readonly BlockDevice[] {
    if (parent !== undefined) return this.#partitions.get(parent) ?? [];
    return [...this.#drives, ...this.#volumes].flatMap((each) => this.#partitions.get(each) ?? []);
  }

  /** How many there are, of all sorts. */
  get count(): number {
    return this.#byName.size;
  }

  get volumes(): readonly BlockDevice[] {
    return this.#volumes;
  }

  /** The device of a caller's name. ENOENT if there is none, also for a text that is no device name. */
  resolve(name: string): BlockDevice {
    if (!name.startsWith(devicePrefix)) throw new GuestfsError('ENOENT', `${name}: expecting a device name`);
    const device = this.find(name);
    if (device !== undefined) return device;
    if (name.endsWith('/') && this.find(name.replace(/\/+$/, '')) !== undefined)
      throw systemError('ENOTDIR', name);
    const reason = this.#absence(name);
    const text = `${name}: no such device${reason === undefined ? '' : `: ${reason}`}`;
    throw new GuestfsError('ENOENT', text, { path: name });
  }

  /** The device of a caller's name; undefined if there is none. */
  find(name: string): BlockDevice | undefined {
    if (!name.startsWith(devicePrefix)) return undefined;
    const exact = this.#byName.get(name);
    if (exact !== undefined) return exact;
    // The kernel resolves doubled slashes and dots in a device path; a trailing slash means a directory.
    const path = name.endsWith('/') ? name : tidyDevicePath(name);
    const target = parseDeviceLink(path);
    if (target !== undefined) return this.#findByTarget(target);
    return this.#byName.get(path) ?? this.#byName.get(canonicalDriveName(path));
  }

  #findByTarget(target: LinkTarget): BlockDevice | undefined {
    switch (target.kind) {
      case 'property':
        return this.findByProperty(target.property, target.value);
      case 'mapper':
        return this.#volumes.find(({ mapperName }) => mapperName === target.name);
      case 'driveLabel':
        return this.#findByLabel(target.value);
      case 'place': {
        const drive = this.#drives[target.index];
        if (target.partition === undefined || drive === undefined) return drive;
        return this.partitions(drive).find(({ number }) => number === target.partition);
      }
    }
  }

  /** The device with a property, by the table's lookup. */
  findByProperty(property: DeviceProperty, value: string): BlockDevice | undefined {
    const name = this.#lookup(property, value);
    return name === undefined ? undefined : this.#byName.get(name);
  }

  #findByLabel(value: string): BlockDevice | undefined {
    const whole = this.#drives.find((drive) => drive.label === value);
    if (whole !== undefined) return whole;
    const [, label, number] = /^(.*?)([1-9][0-9]*)$/.exec(value) ?? [];
    const drive = this.#drives.find((each) => each.label !== undefined && each.label === label);
    return drive === undefined
      ? undefined
      : this.partitions(drive).find((partition) => partition.number === Number(number));
  }

  /**
   * The labels of drives with their devices: `list_disk_labels`. Partitions of a labelled drive are `LABEL1` and so
   * on.
   */
  get labels(): Map<string, string> {
    const labels = new Map<string, string>();
    for (const drive of this.#drives) {
      if (drive.label === undefined) continue;
      labels.set(drive.label, drive.name);
      for (const partition of this.partitions(drive)) {
        labels.set(`${drive.label}${partition.number}`, partition.name);
      }
    }
    return labels;
  }

  /** Parses a mountable: a device name, or `btrfsvol:` before a device and a subvolume. Errors as {@link resolve}. */
  parseMountable(text: string): MountSource {
    if (!isSubvolume(text)) return { device: this.resolve(text), subvolume: undefined };
    const rest = text.slice(subvolumePrefix.length);
    if (!rest.startsWith(devicePrefix)) {
      throw new GuestfsError('EINVAL', `${text}: expecting a device name after ${subvolumePrefix}`);
    }
    // Device names may contain slashes (/dev/VG/LV): the device is the shortest beginning that names one.
    for (let end = rest.indexOf('/', devicePrefix.length); end >= 0; end = rest.indexOf('/', end + 1)) {
      const device = this.find(rest.slice(0, end));
      if (device === undefined) continue;
      const subvolume = rest.slice(end + 1);
      if (subvolume === '') throw systemError('EINVAL', text);
      return { device, subvolume };
    }
    throw new GuestfsError('ENOENT', `${text}: no such device`);
  }
}
