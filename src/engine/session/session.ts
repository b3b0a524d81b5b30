/**
 * What one launch of the embedded engine holds: the open drives, the block devices that were found on them, and
 * what is mounted. Handlers work on this; it knows nothing of actions.
 */
import type { BackendConfig } from '../../api/index.js';
import {
  asGuestfsError,
  CorruptError,
  endsCall,
  GuestfsError,
  systemError,
  UnsupportedError,
} from '../../base/index.js';
import { type Disk, prepareZstd, SliceDisk } from '../../disk/index.js';
import {
  chooseSighting,
  type FileSystem,
  fileSystems,
  identityOf,
  namesOf,
  type Probed,
  type Recognition,
  recognise,
} from '../../fs/index.js';
import {
  otherSectorSize,
  type Partition,
  type PartitionTable,
  readPartitionTable,
} from '../../partition/index.js';
import {
  type Device,
  type DeviceProperty,
  DeviceTable,
  type Mount,
  MountTable,
  type Tree,
} from '../../vfs/index.js';
import {
  assemble,
  dashed,
  findLogicalVolume,
  inactiveReason,
  type LogicalVolume,
  type LvmState,
  listMapperDevices,
  mapperUuid,
  type VolumeGroup,
} from '../../volume/index.js';
import { Damage } from './damage.js';
import { discardableLayer, type OpenDrive, openDrive } from './drive.js';
import { Warnings } from './warnings.js';

/** Where a session's messages go. */
export type SessionLog = (
  kind: 'appliance' | 'library' | 'warning',
  message: string,
  partial?: boolean,
) => void;

/** How a filesystem is to be opened. */
export interface OpenFileSystemOptions {
  /** The type that the caller insists on; found by looking when absent. */
  readonly type?: string;
  /** Mount options of the driver's own. */
  readonly options?: Readonly<Record<string, string | true>>;
  /** Whether it is to be written, which less damage lets happen. */
  readonly writable?: boolean;
}

/** A filesystem that is open, and how to give it back. */
export interface FileSystemLease {
  readonly fileSystem: FileSystem;
  release(): void;
}

interface SharedFileSystem {
  readonly fileSystem: FileSystem;
  readonly layer: Disk | undefined;
  users: number;
}

export class Session {
  readonly config: BackendConfig;
  readonly devices: DeviceTable;
  readonly mounts = new MountTable((error, path) => this.damage.leaveOut(error, path));
  /** As in `umask(2)`; new files get their permissions through it. */
  umask = 0o022;
  /** What is odd but can be lived with: {@link warn} adds to it, and whoever ends a call settles it. */
  readonly warnings: Warnings;
  /** What the answer of the running call lacks. */
  readonly damage: Damage;
  readonly #drives = new Map<Device, OpenDrive>();
  readonly #tables = new Map<Device, PartitionTable | undefined>();
  /** Why the partition table of a drive cannot be read. */
  readonly #tableFaults = new Map<Device, GuestfsError>();
  /** What {@link warnOf} has told of each device. */
  readonly #told = new Map<string, Set<string>>();
  readonly #recognised = new Map<Device, Recognition>();
  readonly #open = new Map<Device, SharedFileSystem>();
  readonly #notes = new Map<symbol, unknown>();
  #lvm: LvmState | undefined;
  #lvmFilter: ReadonlySet<Device> | undefined;
  /** Volume groups that the user activated or deactivated, by UUID; the others are as at the launch. */
  readonly #groupActivation = new Map<string, boolean>();
  /** The volumes by their minor numbers as devices of device-mapper. */
  #minors: ReadonlyMap<number, LogicalVolume> = new Map();

  private constructor(config: BackendConfig, log: SessionLog) {
    this.config = config;
    this.warnings = new Warnings((message, partial) => log('warning', message, partial));
    this.damage = new Damage(this.warnings);
    this.devices = new DeviceTable(
      (property, value) => this.findByProperty(property, value)?.name,
      (name) => this.#absenceOf(name),
    );
  }

  /** Opens the drives and finds what is on them. Rejects, with nothing left open, when a drive cannot be opened. */
  static async start(config: BackendConfig, log: SessionLog): Promise<Session> {
    const session = new Session(config, log);
    try {
      for (const drive of config.drives) session.#addDrive(drive);
      // The decoder is compiled by a promise, so it must be there before the first read that may want it.
      if ([...session.#drives.values()].some(({ usesZstd }) => usesZstd)) await prepareZstd();
      for (const drive of session.devices.drives) session.scanPartitions(drive);
      session.scanVolumes();
    } catch (thrown) {
      session.warnings.settle();
      session.close();
      throw thrown;
    }
    session.warnings.settle();
    return session;
  }

  get tree(): Tree {
    return this.mounts.tree;
  }

  /** Tells the user of something odd that does not keep a call, or the launch, from succeeding; see {@link Warnings.warn}. */
  warn(message: string, kind?: string): void {
    this.warnings.warn(message, kind);
  }

  /**
   * Tells that a device, or something on it, cannot be read. Whoever meets the same fault of the same device again, on the way
   * to something else, tells nothing new.
   */
  warnOf(device: string, { message }: Error, what?: string): void {
    const told = this.#told.get(device) ?? new Set();
    this.#told.set(device, told);
    const bare = message.startsWith(`${device}: `) ? message.slice(device.length + 2) : message;
    if (told.has(bare)) return;
    told.add(bare);
    this.warn(what === undefined ? `${device}: ${bare}` : `${device}: ${what}: ${bare}`);
  }

  #addDrive(config: BackendConfig['drives'][number]): void {
    const open = openDrive(config, {
      policy: this.config.policy,
      tmpdir: this.config.tmpdir,
      warn: (message) => this.warn(message),
    });
    const device = this.devices.addDrive({
      open: () => open.disk,
      sectorSize: open.sectorSize,
      // A drive that was added read-only is one that may be written, with all that is written discarded.
      readonly: false,
      ...(open.label === undefined ? {} : { label: open.label }),
    });
    this.#drives.set(device, open);
    // The table closes what it opened: a drive must be open in its eyes to be closed with it.
    void device.disk;
  }

  /** What was opened for a whole drive. */
  drive(device: Device): OpenDrive | undefined {
    return this.#drives.get(device);
  }

  #tableUnreadable(drive: Device, thrown: unknown): void {
    if (endsCall(thrown)) throw thrown;
    const error = ofDevice(drive.name, asGuestfsError(thrown));
    if (!this.#tableFaults.has(drive)) this.#tableFaults.set(drive, error);
    this.warnOf(drive.name, error, 'partitions are not shown');
  }

  /** Reads a drive's partition table anew. A damaged one leaves the drive without partitions, as in the kernel. */
  scanPartitions(drive: Device): void {
    let table: PartitionTable | undefined;
    this.#tableFaults.delete(drive);
    for (const name of [drive, ...this.devices.partitions(drive)].map(({ name }) => name))
      this.#told.delete(name);
    try {
      table = readPartitionTable(drive.disk, drive.sectorSize);
    } catch (thrown) {
      this.#tableUnreadable(drive, thrown);
    }
    this.#tables.set(drive, table);
    for (const warning of table?.warnings ?? []) this.warn(`${drive.name}: ${warning}`);
    try {
      if (table === undefined) this.#warnOfOtherSectors(drive);
    } catch (thrown) {
      this.#tableUnreadable(drive, thrown);
    }
    this.devices.setPartitions(
      drive,
      (table?.hasDevices === false ? [] : (table?.partitions ?? [])).map((partition) => ({
        number: partition.number,
        open: () => new SliceDisk(drive.disk, partition.startInBytes, partition.deviceSizeInBytes),
      })),
    );
    this.#devicesChanged();
  }

  #warnOfOtherSectors(drive: Device): void {
    const other = otherSectorSize(drive.disk, drive.sectorSize);
    if (other !== undefined)
      this.warn(
        `${drive.name}: no partitions are found with sectors of ${drive.sectorSize} bytes, but there is a GPT for sectors of ${other}: add the drive with blocksize ${other}`,
      );
  }

  /** The partition table of a drive; undefined where there is none that can be read. */
  table(drive: Device): PartitionTable | undefined {
    return this.#tables.get(drive);
  }

  /** Why the partition table of a drive cannot be read; undefined where it can, or there is none. */
  tableFault(drive: Device): GuestfsError | undefined {
    return this.#tableFaults.get(drive);
  }

  /** The partition that a device is; undefined for drives and volumes. */
  partition(device: Device): Partition | undefined {
    if (device.parent === undefined) return undefined;
    return this.table(device.parent)?.partitions.find(({ number }) => number === device.number);
  }

  /** Looks for volumes on every drive without partitions, and on every partition, as far as the filter lets it. */
  scanVolumes(): void {
    const members = [...this.devices.drives.filter((drive) => this.devices.partitions(drive).length === 0)]
      .concat(this.devices.partitions())
      .filter((device) => this.#lvmFilter?.has(device) ?? true)
      .map(({ name, disk }) => ({ device: name, disk }));
    const state = assemble(members);
    for (const { message, device, error } of state.problems)
      if (device === undefined || error === undefined) this.warn(message);
      else this.warnOf(device, error);
    this.#lvm = state;
    this.devices.setVolumes([]);
    this.#presentVolumes();
  }

  /** Whether a volume has a device now, by itself or by command. */
  isActive({ active, activatable, group }: LogicalVolume): boolean {
    const told = this.#groupActivation.get(group.uuid);
    return told === undefined ? active : told && activatable;
  }

  /** Why a volume has no device, if that is what a name means. */
  #absenceOf(name: string): string | undefined {
    const volume = this.#lvm && findLogicalVolume(this.#lvm, name);
    if (volume === undefined) return undefined;
    const reason = inactiveReason(volume) ?? 'its volume group was deactivated';
    if (!volume.activatable) return reason;
    return `${reason}; vg_activate_all activates the volumes of which all is here`;
  }

  /** Gives devices to the volumes that are to have one; those that have one keep it. */
  #presentVolumes(): void {
    const { lvm } = this;
    const present = new Map(this.devices.volumes.map((device) => [device.name, device]));
    this.devices.setVolumes(
      lvm.logicalVolumes
        .filter((volume) => !volume.hidden && this.isActive(volume))
        .map(
          (volume) =>
            present.get(volume.device) ?? {
              name: volume.device,
              mapperName: volume.mapperName,
              open: () => volume.open(),
            },
        ),
    );
    // A number is not given to another volume while its own is deactivated: it will be activated in the same order.
    const numbered = listMapperDevices(
      lvm,
      (volume) => volume.active || (volume.activatable && this.#groupActivation.has(volume.group.uuid)),
    );
    this.#minors = new Map(numbered.flatMap(({ minor, volume }) => (volume ? [[minor, volume]] : [])));
    this.#devicesChanged();
  }

  /** The volumes of which a filesystem is open. */
  get volumesInUse(): readonly Device[] {
    return this.devices.volumes.filter((device) => this.#open.has(device));
  }

  /** The only devices that are looked at for volumes, a drive standing for its partitions too; undefined: all. */
  setLvmFilter(devices: readonly Device[] | undefined): void {
    const [used] = this.volumesInUse;
    if (used !== undefined) throw systemError('EBUSY', used.name);
    this.#lvmFilter =
      devices && new Set(devices.flatMap((device) => [device, ...this.devices.partitions(device)]));
    this.#groupActivation.clear();
    this.scanVolumes();
  }

  /**
   * Gives or takes the devices of volume groups. EBUSY where one that is to go is in use. Gives back the volumes that are
   * still without a device though they were to get one, since some of what they need is missing.
   */
  setActive(groups: readonly VolumeGroup[], active: boolean): LogicalVolume[] {
    for (const { logicalVolumes } of groups) {
      const used = this.volumesInUse.find(({ name }) => logicalVolumes.some(({ device }) => device === name));
      if (!active && used !== undefined) throw systemError('EBUSY', used.name);
    }
    for (const { uuid } of groups) this.#groupActivation.set(uuid, active);
    this.#presentVolumes();
    if (!active) return [];
    return groups.flatMap(({ logicalVolumes }) =>
      logicalVolumes.filter(({ hidden, partial }) => partial && !hidden),
    );
  }

  /** The volume groups and what they are made of. */
  get lvm(): LvmState {
    if (this.#lvm === undefined) throw new GuestfsError('EIO', 'volumes were not scanned');
    return this.#lvm;
  }

  #devicesChanged(): void {
    this.warnings.forget();
    this.#recognised.clear();
  }

  /** All that is seen on a device. A device that cannot be read throws. */
  recognise(device: Device): Recognition {
    let recognition = this.#recognised.get(device);
    if (recognition === undefined) {
      recognition = this.#look(device);
      this.#recognised.set(device, recognition);
      const { ambivalent, unread } = recognition;
      if (ambivalent)
        this.warn(`${device.name}: has signatures of ${namesOf(recognition)}: its type is not known`);
      if (unread) this.warn(`${device.name}: some filesystems could not be looked for: ${unread.message}`);
    }
    return recognition;
  }

  #look(device: Device): Recognition {
    const partitions = this.table(device)?.partitions ?? [];
    try {
      return recognise(device.disk, {
        whole: device.kind !== 'partition',
        covered: (offset, length) =>
          partitions.some(
            ({ startInBytes, sizeInBytes }) =>
              startInBytes <= offset && startInBytes + sizeInBytes >= offset + length,
          ),
      });
    } catch (thrown) {
      throw thrown instanceof GuestfsError ? ofDevice(device.name, thrown) : thrown;
    }
  }

  /**
   * What is on a device, by its signature; undefined for nothing known, and where there are signatures of several things
   * of which nobody can say which is meant. A device that cannot be read throws.
   */
  probe(device: Device): Probed | undefined {
    return identityOf(this.recognise(device));
  }

  /** The device that has a property. */
  findByProperty(property: DeviceProperty, value: string): Device | undefined {
    if (value === '') return undefined;
    switch (property) {
      case 'dmMinor':
        return this.#volumeDevice(this.#minors.get(Number(value)));
      case 'dmUuid':
        return this.#volumeDevice(this.lvm.logicalVolumes.find((volume) => mapperUuid(volume) === value));
      case 'pvUuid': {
        const found = this.lvm.physicalVolumes.find(({ label }) => dashed(label.uuid) === value);
        return found && this.devices.find(found.device);
      }
    }
    const same = value.toLowerCase();
    const candidates = [...this.devices.drives, ...this.devices.partitions(), ...this.devices.volumes];
    return candidates.find((device) => {
      if (property === 'partuuid') return this.#partitionUuid(device)?.toLowerCase() === same;
      if (property === 'partlabel') return this.partition(device)?.name === value;
      const probed = this.#probeIfReadable(device);
      return property === 'uuid' ? probed?.uuid.toLowerCase() === same : probed?.label === value;
    });
  }

  /** The device of a volume, while it has one. */
  #volumeDevice(volume: LogicalVolume | undefined): Device | undefined {
    return volume && this.devices.volumes.find(({ name }) => name === volume.device);
  }

  /** A partition's UUID as the kernel has it: GPT's own, or the MBR signature with the number. */
  #partitionUuid(device: Device): string | undefined {
    const partition = this.partition(device);
    if (partition === undefined || device.parent === undefined) return undefined;
    if (partition.gptGuid !== undefined) return partition.gptGuid;
    const signature = this.table(device.parent)?.diskSignature;
    return signature && `${signature}-${partition.number.toString(16).padStart(2, '0')}`;
  }

  /** As {@link probe}, but a device that cannot be read has nothing known on it. */
  #probeIfReadable(device: Device): Probed | undefined {
    try {
      return this.probe(device);
    } catch (thrown) {
      if (thrown instanceof GuestfsError && !endsCall(thrown)) return undefined;
      throw thrown;
    }
  }

  /** Opens the filesystem on a device, or shares the one that is open already. */
  openFileSystem(device: Device, wanted: OpenFileSystemOptions = {}): FileSystemLease {
    let shared = this.#open.get(device);
    if (shared === undefined) {
      shared = this.#openAnew(device, wanted);
      this.#open.set(device, shared);
    } else if (wanted.type !== undefined && !sameType(shared.fileSystem.type, wanted.type)) {
      throw new GuestfsError('EBUSY', `${device.name}: is in use as ${shared.fileSystem.type}`);
    }
    const mine = shared;
    mine.users++;
    let released = false;
    return {
      fileSystem: mine.fileSystem,
      release: () => {
        if (released) return;
        released = true;
        if (--mine.users > 0) return;
        this.#open.delete(device);
        mine.fileSystem.close();
        mine.layer?.close();
      },
    };
  }

  #openAnew(device: Device, wanted: OpenFileSystemOptions): SharedFileSystem {
    const { disk, name } = device;
    const warn = (message: string): void => this.warn(message);
    const look = (): Recognition => this.recognise(device);
    return { ...openFileSystemOn(disk, name, this.config.tmpdir, warn, wanted, look), users: 0 };
  }

  /** The mount that serves a device, if it is mounted. */
  mountOf(device: Device): Mount | undefined {
    return this.mounts.mounts().find(({ source }) => this.devices.find(source) === device);
  }

  /** What some topic of actions keeps for the life of the session, made at its first use. */
  note<T>(key: symbol, make: () => T): T {
    if (!this.#notes.has(key)) this.#notes.set(key, make());
    return this.#notes.get(key) as T; // safe: a symbol belongs to one topic, which always asks for one type
  }

  /** Unmounts everything and closes the drives. */
  close(): void {
    this.mounts.umountAll();
    this.devices.close();
    this.#drives.clear();
  }
}

/** An error of what a device stands on, with the device's name. */
function ofDevice(name: string, thrown: GuestfsError): GuestfsError {
  if (thrown instanceof CorruptError)
    return new CorruptError(`${name}: ${thrown.structure}`, thrown.problem, thrown.details, {
      cause: thrown,
    });
  if (thrown instanceof UnsupportedError)
    return new UnsupportedError(`${name}: ${thrown.structure}`, thrown.features, { cause: thrown });
  return thrown;
}

/** Types that are the same driver's, so that one can be asked for by the name of the other. */
function sameType(type: string, wanted: string): boolean {
  return type === wanted || fileSystems.some(({ types }) => types.includes(type) && types.includes(wanted));
}

/** Opens the filesystem on a disk: of the type that is asked for, or of the one that is found. */
export function openFileSystemOn(
  disk: Disk,
  name: string,
  tmpdir: string,
  warn: (message: string) => void,
  { type, options, writable = false }: OpenFileSystemOptions = {},
  look: () => Recognition = () => recognise(disk),
): { fileSystem: FileSystem; layer: Disk | undefined } {
  const recognition = type === undefined ? look() : undefined;
  const chosen = recognition && chooseSighting(recognition, name);
  const driver =
    chosen?.driver ?? fileSystems.find(({ types }) => type !== undefined && types.includes(type));
  if (driver === undefined) {
    throw type === undefined
      ? new GuestfsError('EINVAL', `${name}: no filesystem was recognised on it`)
      : new UnsupportedError(name, [`filesystem type ${type} (the direct backend may have it)`]);
  }
  if (driver.open === undefined) {
    throw new UnsupportedError(name, [`reading ${driver.name} (the direct backend may have it)`]);
  }
  const [first] = recognition?.seen ?? [];
  if (chosen !== undefined && first !== undefined && first !== chosen) {
    const [read, other] = [chosen.probed.type, first.probed.type];
    warn(`${name}: is ${other} and ${read} at once: ${read} is shown, as ${other} cannot be read`);
  }
  let layer: Disk | undefined;
  try {
    const fileSystem = driver.open(disk, {
      overlay: (base) => {
        // A slice closes nothing: the device outlives the layer that is put over it.
        layer = discardableLayer(new SliceDisk(base, 0, base.size), tmpdir);
        return layer;
      },
      warn: (message) => warn(`${name}: ${message}`),
      readonly: !writable,
      ...(options === undefined ? {} : { options }),
    });
    return { fileSystem, layer };
  } catch (thrown) {
    (layer as Disk | undefined)?.close();
    throw thrown;
  }
}
