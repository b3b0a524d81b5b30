/**
 * Finds the block devices of a session layer by layer: drives, the partitions of their tables, the volumes of
 * members, the disks behind locks. Each new device is examined too, until nothing new is found. The scan searches
 * where Linux does: the kernel reads no partition tables on device-mapper devices, and lvm2 looks for no members on
 * its own volumes (see {@link MemberKind}).
 *
 * A device keeps its identity over a scan while its bytes are the same: a partition by its number and place, a volume
 * by its id, layout and members. A device in use keeps its identity in any case, as the kernel keeps mounted devices.
 */
import type { CarriedCall } from '../../api/index.js';
import { endsCall, GuestfsError, systemError, work } from '../../base/index.js';
import { SliceDisk } from '../../disk/index.js';
import type { Partition } from '../../partition/index.js';
import { BlockDevice, type DeviceTable } from '../../vfs/index.js';
import type { LockKey, MemberKind, Volume } from '../../volume/index.js';
import type { DeviceContents } from './device-contents.js';
import type { LayerKind } from './kinds.js';
import { Locks } from './locks.js';
import type { PartitionTables } from './partition-tables.js';
import { filterSubject, type SessionCalls } from './session-calls.js';
import { type VolumeSystem, VolumeSystems } from './volume-systems.js';
import type { Warnings } from './warnings.js';

/** The deepest stack of devices. A volume of LVM on LUKS on MD on a partition is the fifth. */
const deepest = 8;
/** Each round finds at least one device deeper than the earlier ones, so more rounds mean a circle. */
const mostRounds = deepest + 1;
/**
 * With more devices than this, volumes are not examined: a table on each of thousands of volumes would make millions.
 */
const mostDevices = 16_384;

/** What a scan works with. */
interface ScanParts {
  readonly devices: DeviceTable;
  readonly kinds: readonly LayerKind[];
  readonly tables: PartitionTables;
  readonly contents: DeviceContents;
  readonly warnings: Warnings;
  /** The keys that the session was given. */
  readonly keys: readonly LockKey[];
  /** Where the calls are kept that changed which devices there are. */
  readonly calls: SessionCalls;
  /** Whether something on a device is open now. */
  readonly isOpen: (device: BlockDevice) => boolean;
}

/** How a volume came to be. */
interface PresentVolume {
  readonly system: VolumeSystem;
  readonly volume: Volume;
  /** Those of its members that have a device. */
  readonly members: readonly BlockDevice[];
  /** How many devices lie below it, one on another. */
  readonly depth: number;
}

export class DeviceScan {
  readonly systems: VolumeSystems;
  readonly locks: Locks;
  readonly #parts: ScanParts;
  readonly #origins = new Map<BlockDevice, PresentVolume>();
  /** Where the partitions that are devices lie. */
  readonly #places = new Map<BlockDevice, Partition>();
  /** What each device was found to be a member of. */
  readonly #memberOf = new Map<BlockDevice, Map<VolumeSystem, boolean>>();

  constructor(parts: ScanParts) {
    this.#parts = parts;
    this.systems = new VolumeSystems(parts.kinds);
    this.locks = new Locks({
      ...parts,
      isInUse: (device) => this.isInUse(device),
      changed: () => this.#find(),
    });
  }

  /**
   * Scans again what changed: the tables of these drives, and the members on them; without an argument, everything. A
   * device that is not found any more is removed, unless it is in use.
   */
  rescan(changed?: readonly string[]): void {
    const { devices, tables, warnings } = this.#parts;
    const again =
      changed === undefined
        ? [...devices.drives, ...devices.volumes]
        : changed.map((name) => devices.resolve(name));
    for (const device of again) {
      tables.forget(device);
      for (const { name } of [device, ...devices.partitions(device)]) warnings.forgetFaultsOf(name);
    }
    const members = again.flatMap((device) => [device, ...devices.partitions(device)]);
    this.#lookForMembers(changed === undefined ? undefined : members);
  }

  /** Scans again for members of all volume systems; partition tables stay as they are. */
  rescanMembers(): void {
    this.#lookForMembers(undefined);
  }

  #lookForMembers(on: readonly BlockDevice[] | undefined): void {
    for (const device of on ?? [...this.#memberOf.keys()]) this.#memberOf.delete(device);
    for (const system of this.systems.all) system.isStale = true;
    this.#find();
  }

  /**
   * Sets the only devices that are searched for members of a system; undefined: all. Activation is reset to the state
   * at launch.
   */
  setFilter(kind: MemberKind, devices: readonly BlockDevice[] | undefined, by: CarriedCall): void {
    const system = this.systems.get(kind);
    const [used] = this.volumesInUse;
    if (used !== undefined) throw systemError('EBUSY', used.name);
    system.filter = devices && new Set(devices.map(({ name }) => name));
    const { calls } = this.#parts;
    const ofSystem = filterSubject(kind);
    const isOfSystem = (subject: unknown): boolean =>
      typeof subject === 'string' && subject.startsWith(ofSystem);
    if (devices === undefined) calls.takeBack('volumes', ofSystem, by, isOfSystem);
    else {
      calls.forget('volumes', isOfSystem);
      calls.record('volumes', [ofSystem], by);
    }
    system.activation.clear();
    this.rescanMembers();
  }

  /** Adds or removes the devices of volumes. EBUSY if a device to be removed is in use. */
  setActive(kind: MemberKind, volumes: readonly Volume[], active: boolean, by: CarriedCall): void {
    const system = this.systems.get(kind);
    const names = new Set(volumes.map(({ device }) => device));
    const used = active ? undefined : this.volumesInUse.find(({ name }) => names.has(name));
    if (used !== undefined) throw systemError('EBUSY', used.name);
    const before = volumes.map((volume) => system.isActive(volume));
    for (const { id } of volumes) system.activation.set(id, active);
    if (volumes.some((volume, index) => system.isActive(volume) !== before[index]))
      this.#parts.calls.record(
        'volumes',
        volumes.map(({ id }) => filterSubject(kind) + id),
        by,
      );
    this.#find();
  }

  /** The volume that a device is. */
  volume(device: BlockDevice): Volume | undefined {
    return this.#origins.get(device)?.volume;
  }

  /** The device of the volume with an id. */
  findVolume(id: string): BlockDevice | undefined {
    return this.#parts.devices.volumes.find((device) => this.volume(device)?.id === id);
  }

  /** The device with a device-mapper minor number. */
  findByMinor(minor: number): BlockDevice | undefined {
    for (const { minors } of this.systems.all) {
      const id = minors.get(minor)?.id;
      if (id !== undefined) return this.findVolume(id);
    }
    return undefined;
  }

  /** The volumes of which something is in use. */
  get volumesInUse(): readonly BlockDevice[] {
    const used = this.#used();
    return this.#parts.devices.volumes.filter((device) => used.has(device));
  }

  /** Whether a device, or one that lies on it, is open. */
  isInUse(device: BlockDevice): boolean {
    return this.#used().has(device);
  }

  /** A volume, or the inside of a lock, that lies on a device or on a partition of it. */
  findHolder(device: BlockDevice): BlockDevice | undefined {
    const { devices } = this.#parts;
    const held = new Set([device, ...devices.partitions(device)]);
    return devices.volumes.find((volume) => this.#below(volume).some((below) => held.has(below)));
  }

  #used(): ReadonlySet<BlockDevice> {
    const { devices, isOpen } = this.#parts;
    const used = new Set<BlockDevice>();
    const add = (device: BlockDevice): void => {
      if (used.has(device)) return;
      used.add(device);
      for (const below of this.#below(device)) add(below);
    };
    for (const device of [...devices.drives, ...devices.volumes, ...devices.partitions()])
      if (isOpen(device)) add(device);
    return used;
  }

  #depthOn(members: readonly BlockDevice[]): number {
    return members.reduce((depth, member) => Math.max(depth, this.#depth(member) + 1), 0);
  }

  /** The devices that one lies on. */
  #below(device: BlockDevice): readonly BlockDevice[] {
    if (device.parent !== undefined) return [device.parent];
    const locked = this.locks.lockedBy(device);
    return this.#origins.get(device)?.members ?? (locked === undefined ? [] : [locked]);
  }

  /** The drives on which a device lies; of a drive, itself. */
  drivesUnder(device: BlockDevice): ReadonlySet<BlockDevice> {
    const below = this.#below(device);
    return below.length === 0
      ? new Set([device])
      : new Set(below.flatMap((each) => [...this.drivesUnder(each)]));
  }

  /** How many devices lie below one. */
  #depth(device: BlockDevice): number {
    const below = device.parent ?? this.locks.lockedBy(device);
    return below === undefined ? (this.#origins.get(device)?.depth ?? 0) : this.#depth(below) + 1;
  }

  /** Examines all new devices, until nothing new is found. */
  #find(): void {
    const { contents, warnings } = this.#parts;
    const assembled = new Set<VolumeSystem>();
    let round = 0;
    do {
      this.#readTables();
      for (const system of this.systems.all) if (this.#assemble(system)) assembled.add(system);
      if (round++ > mostRounds) {
        warnings.warn('devices lie on each other in a circle: some of them are not shown');
        break;
      }
    } while (this.#present());
    this.#forgetGone();
    for (const { assembly } of assembled)
      for (const { message, device, error } of assembly?.problems ?? [])
        if (device === undefined || error === undefined) warnings.warn(message);
        else warnings.warnOf(device, error);
    warnings.forget();
    contents.forget();
  }

  #readTables(): void {
    const { devices, tables } = this.#parts;
    const volumes = devices.volumes.filter((device) => this.#origins.get(device)?.system.kind.hasPartitions);
    for (const device of [...devices.drives, ...volumes.filter((each) => this.#isLookedInto(each))])
      if (!tables.has(device)) this.#presentPartitions(device, tables.read(device));
  }

  #presentPartitions(parent: BlockDevice, partitions: readonly Partition[]): void {
    const { devices } = this.#parts;
    const used = this.#used();
    const before = new Map(devices.partitions(parent).map((device) => [device.number, device]));
    const next = partitions.map((partition) => {
      const { number, startInBytes, deviceSizeInBytes: size } = partition;
      const known = before.get(number);
      const place = known && this.#places.get(known);
      before.delete(number);
      if (known && used.has(known)) return known;
      if (known && place?.startInBytes === startInBytes && place.deviceSizeInBytes === size) return known;
      return { number, open: () => new SliceDisk(parent.disk, startInBytes, size) };
    });
    devices.setPartitions(parent, [...next, ...[...before.values()].filter((device) => used.has(device))]);
    for (const device of devices.partitions(parent)) {
      const place = partitions.find(({ number }) => number === device.number);
      if (place !== undefined && !this.#places.has(device)) this.#places.set(device, place);
    }
  }

  /** Assembles the members of a system, unless they are the same as last time. */
  #assemble(system: VolumeSystem): boolean {
    const members = this.#candidates(system).filter((device) => this.#isMember(device, system));
    if (!system.isStale && isSame(members, system.members)) return false;
    system.assembly = system.kind.assemble(members.map(({ name, disk }) => ({ device: name, disk })));
    system.members = members;
    system.isStale = false;
    return true;
  }

  /** The devices that may be members of a system: drives and volumes without partitions, and partitions. */
  #candidates({ kind, filter }: VolumeSystem): readonly BlockDevice[] {
    const { devices } = this.#parts;
    const isWhole = (device: BlockDevice): boolean => devices.partitions(device).length === 0;
    const onVolumes = devices.volumes
      .flatMap((volume) => [volume, ...devices.partitions(volume)])
      .filter((device) => device.kind !== 'volume' || (isWhole(device) && this.#mayHold(device, kind)))
      .filter((device) => this.#isLookedInto(device));
    return [
      ...devices.drives.filter(isWhole),
      ...devices.drives.flatMap((drive) => devices.partitions(drive)),
      ...onVolumes,
    ].filter(
      ({ name, parent }) =>
        filter === undefined || filter.has(name) || (parent !== undefined && filter.has(parent.name)),
    );
  }

  #mayHold(volume: BlockDevice, kind: MemberKind): boolean {
    return kind.nests === true || this.#origins.get(volume)?.system.kind !== kind;
  }

  /** Whether to search on volumes. Warns if not, because the search could be endless. */
  #isLookedInto(device: BlockDevice): boolean {
    const { devices, warnings } = this.#parts;
    work.entries.spend(1);
    if (devices.count > mostDevices) {
      warnings.warn(`there are more than ${mostDevices} devices: the volumes among them are not looked into`);
      return false;
    }
    if (this.#depth(device) < deepest) return true;
    warnings.warn(`${device.name}: lies on ${deepest} other devices, and is not looked into`);
    return false;
  }

  #isMember(device: BlockDevice, system: VolumeSystem): boolean {
    const known = this.#memberOf.get(device) ?? new Map<VolumeSystem, boolean>();
    this.#memberOf.set(device, known);
    const isMember = known.get(system) ?? this.#probe(device, system);
    known.set(system, isMember);
    return isMember;
  }

  /** A drive or partition that cannot be read counts as a member: the system meets the same error, and reports it. */
  #probe(device: BlockDevice, { kind }: VolumeSystem): boolean {
    try {
      return kind.probe(device.disk) !== undefined;
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError) || endsCall(thrown)) throw thrown;
      return device.kind === 'drive' || device.parent?.kind === 'drive';
    }
  }

  /** Adds devices for the volumes that need one. Returns whether anything changed. */
  #present(): boolean {
    const { devices } = this.#parts;
    const used = this.#used();
    const known = new Map([...this.#origins].map(([device, { volume }]) => [volume.id, device]));
    const next = new Map<string, { device: BlockDevice; origin: PresentVolume }>();
    const found = new Map<readonly string[], readonly BlockDevice[]>();
    for (const system of this.systems.all)
      for (const volume of system.assembly?.volumes ?? []) {
        if (!system.isActive(volume) || next.has(volume.device)) continue;
        // The volumes of a group share one list of members, which are looked up once.
        const members =
          found.get(volume.members) ?? volume.members.flatMap((name) => devices.find(name) ?? []);
        found.set(volume.members, members);
        const device = known.get(volume.id);
        const origin = device && this.#origins.get(device);
        const isKept = origin?.volume.layout === volume.layout && isSame(origin.members, members);
        if (device && origin && used.has(device)) next.set(device.name, { device, origin });
        else
          next.set(volume.device, {
            device: device?.name === volume.device && isKept ? device : deviceOf(volume, members),
            origin: { system, volume, members, depth: this.#depthOn(members) },
          });
      }
    for (const [device, origin] of this.#origins)
      if (used.has(device) && !next.has(device.name)) next.set(device.name, { device, origin });
    const all = [...[...next.values()].map(({ device }) => device), ...this.locks.unlocked];
    const isChanged = !isSame(all, devices.volumes);
    this.#origins.clear();
    for (const { device, origin } of next.values()) this.#origins.set(device, origin);
    devices.setVolumes(all);
    return isChanged;
  }

  #forgetGone(): void {
    const { devices, tables } = this.#parts;
    const present = new Set([...devices.drives, ...devices.partitions(), ...devices.volumes]);
    tables.keepOnly(present);
    for (const device of this.#memberOf.keys()) if (!present.has(device)) this.#memberOf.delete(device);
    for (const device of this.#places.keys()) if (!present.has(device)) this.#places.delete(device);
  }
}

/** As in the kernel, its sector size is the largest of its members'. */
function deviceOf(volume: Volume, members: readonly BlockDevice[]): BlockDevice {
  const { device, mapperName } = volume;
  return new BlockDevice({
    name: device,
    kind: 'volume',
    mapperName,
    sectorSize: members.reduce((most, { sectorSize }) => Math.max(most, sectorSize), 512),
    readonly: false,
    open: () => volume.open(),
  });
}

function isSame<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((each, index) => each === other[index]);
}
