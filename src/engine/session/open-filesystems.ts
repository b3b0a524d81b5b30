/** The open filesystems of a session. Opening one that is open already shares it. */
import { GuestfsError, UnsupportedError } from '../../base/index.js';
import { type Disk, SliceDisk } from '../../disk/index.js';
import type { FileSystem, FileSystemDriver } from '../../fs/index.js';
import type { BlockDevice, DeviceTable } from '../../vfs/index.js';
import type { DeviceContents } from './device-contents.js';
import { discardableLayer } from './drive.js';
import { elsewhereFor, kinds, type LayerKind } from './kinds.js';
import { chooseSighting, type Recognition, recognise } from './recognition.js';

/** How a filesystem is to be opened. */
interface OpenFileSystemOptions {
  /** The type that the caller requires; without it, the type is detected. */
  readonly type?: string;
  /** Mount options of the driver's own. */
  readonly options?: Readonly<Record<string, string | true>>;
  /** Whether it will be written, in which case less damage is accepted. */
  readonly writable?: boolean;
}

/** An open filesystem, and how to release it. */
interface FileSystemLease {
  readonly fileSystem: FileSystem;
  release(): void;
}

/** A filesystem that is open, and the layers of changes that its driver asked for. */
interface Opened {
  readonly fileSystem: FileSystem;
  readonly layers: readonly Disk[];
}

interface SharedFileSystem extends Opened {
  /** All devices that it is on. */
  readonly devices: readonly BlockDevice[];
  users: number;
}

/** What opening a filesystem needs, wherever its bytes are. */
interface OpeningContext {
  /** Where copy-on-write layers spill to. */
  readonly tmpdir: string;
  warn(message: string): void;
  /** Finds the disk of a journal that lies on another device, by its UUID. */
  readonly findJournal?: (uuid: string) => Disk | undefined;
}

/** What the open filesystems of a session work with. */
interface OpenFileSystemsParts extends OpeningContext {
  readonly devices: DeviceTable;
  readonly contents: DeviceContents;
  readonly kinds: readonly LayerKind[];
}

type Openable = FileSystemDriver & Required<Pick<FileSystemDriver, 'open'>>;

/** The subvolume that is asked for: each is open by itself. */
function viewOf({ options = {} }: OpenFileSystemOptions): string {
  return `${options.subvol ?? ''} ${options.subvolid ?? ''}`;
}

export class OpenFileSystems {
  readonly #parts: OpenFileSystemsParts;
  /** By what of the device was asked for: see {@link viewOf}. */
  readonly #open = new Map<BlockDevice, Map<string, SharedFileSystem>>();

  constructor(parts: OpenFileSystemsParts) {
    this.#parts = parts;
  }

  isOpen(device: BlockDevice): boolean {
    return this.#open.has(device);
  }

  /** Opens the filesystem on a device, or shares the open one. */
  open(device: BlockDevice, wanted: OpenFileSystemOptions = {}): FileSystemLease {
    const view = viewOf(wanted);
    let shared = this.#open.get(device)?.get(view);
    if (shared === undefined) {
      shared = this.#openAnew(device, wanted);
      for (const each of shared.devices) {
        const views = this.#open.get(each) ?? new Map<string, SharedFileSystem>();
        this.#open.set(each, views.set(view, shared));
      }
    } else if (wanted.type !== undefined && !this.#isSameType(shared.fileSystem.type, wanted.type)) {
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
        for (const each of mine.devices) {
          const views = this.#open.get(each);
          views?.delete(view);
          if (views?.size === 0) this.#open.delete(each);
        }
        mine.fileSystem.close();
        for (const layer of mine.layers) layer.close();
      },
    };
  }

  /**
   * The devices of the filesystem that a device belongs to, in their own order. ENODEV if some are missing, EINVAL if it
   * is not of the type.
   */
  membersOf(device: BlockDevice, type: string): readonly BlockDevice[] {
    const { contents, kinds, warn } = this.#parts;
    const driver = chooseDriver(device.name, undefined, kinds, () => contents.recognise(device), warn);
    if (!driver.types.includes(type))
      throw new GuestfsError('EINVAL', `${device.name}: not a ${type} filesystem`);
    const number = ({ disk }: BlockDevice): number => driver.memberOf?.(disk)?.number ?? 0;
    return this.#setOf(device, driver, false).toSorted((a, b) => number(a) - number(b));
  }

  /** Types of the same driver: each may be requested under the name of another. */
  #isSameType(type: string, wanted: string): boolean {
    if (type === wanted) return true;
    return this.#parts.kinds.some(
      (kind) => kind.role === 'filesystem' && kind.types.includes(type) && kind.types.includes(wanted),
    );
  }

  #openAnew(device: BlockDevice, wanted: OpenFileSystemOptions): SharedFileSystem {
    const { contents, kinds } = this.#parts;
    const { name } = device;
    const driver = chooseDriver(name, wanted.type, kinds, () => contents.recognise(device), this.#parts.warn);
    const devices = this.#setOf(device, driver, wanted.options?.degraded === true);
    const others = devices.filter((each) => each !== device).map(({ disk }) => disk);
    const context = {
      ...this.#parts,
      findJournal: (uuid: string) => this.#journal(uuid)?.disk,
    };
    return { ...openWith(driver, device.disk, others, name, context, wanted), devices, users: 0 };
  }

  /** The device that is a journal and nothing else, by its UUID: for XFS that of the filesystem. */
  #journal(uuid: string): BlockDevice | undefined {
    const { devices, contents } = this.#parts;
    return [...devices.drives, ...devices.partitions(), ...devices.volumes].find(
      (device) => contents.probeIfReadable(device)?.facts.LOGUUID === uuid,
    );
  }

  /**
   * The devices of a filesystem, in the order of their names in the table. ENODEV if some are missing, unless the mount
   * option `degraded` allows it.
   */
  #setOf(device: BlockDevice, driver: Openable, isDegraded: boolean): readonly BlockDevice[] {
    const { devices, contents } = this.#parts;
    const member = driver.memberOf?.(device.disk);
    if (member === undefined || member.count === 1) return [device];
    const present = [...devices.drives, ...devices.partitions(), ...devices.volumes].filter(
      (each) =>
        each === device ||
        (contents.probeIfReadable(each) !== undefined &&
          contents.recognise(each).seen.some(({ kind }) => kind === driver) &&
          driver.memberOf?.(each.disk)?.set === member.set),
    );
    if (present.length < member.count && !isDegraded)
      throw new GuestfsError(
        'ENODEV',
        `${device.name}: is one of the ${member.count} devices of a ${driver.name} filesystem, of which only ${present.map(({ name }) => name).join(', ')} are here`,
      );
    return present;
  }
}

/** Opens the filesystem on a disk that is no device. `name` is for messages. */
export function openFileSystemOn(disk: Disk, name: string, context: OpeningContext): Opened {
  const driver = chooseDriver(name, undefined, kinds, () => recognise(disk), context.warn);
  return openWith(driver, disk, [], name, context, {});
}

/** The driver for a disk: of the requested type, or of the detected one. Throws if there is none. */
function chooseDriver(
  name: string,
  type: string | undefined,
  kinds: readonly LayerKind[],
  look: () => Recognition,
  warn: (message: string) => void,
): Openable {
  const recognition = type === undefined ? look() : undefined;
  const chosen = recognition && chooseSighting(recognition, name);
  const kind =
    chosen?.kind ??
    kinds.find((each) => each.role === 'filesystem' && type !== undefined && each.types.includes(type));
  if (kind === undefined) {
    throw type === undefined
      ? new GuestfsError('EINVAL', `${name}: no filesystem was recognised on it`)
      : new UnsupportedError(name, [`filesystem type ${type}`], { elsewhere: 'appliance' });
  }
  if (!isOpenable(kind)) throw notOpenable(kind, name);
  const [first] = recognition?.seen ?? [];
  if (chosen !== undefined && first !== undefined && first !== chosen) {
    const [read, other] = [chosen.probed.type, first.probed.type];
    warn(`${name}: is ${other} and ${read} at once: ${read} is shown, as ${other} cannot be read`);
  }
  return kind;
}

/** Why the filesystem on a device cannot be opened. What is none has none in the appliance either. */
function notOpenable(kind: LayerKind, name: string): GuestfsError {
  if (kind.usage === 'filesystem')
    return new UnsupportedError(name, [`reading ${kind.name}`], { elsewhere: elsewhereFor(kind) });
  const instead = {
    member: 'what its members form is mounted, not one of them',
    locked: 'unlock it with its key, and mount what is inside',
    filesystem: 'it holds no files',
  }[kind.role];
  return new GuestfsError('EINVAL', `${name}: is ${kind.name}, no filesystem: ${instead}`);
}

function isOpenable(kind: LayerKind): kind is Openable {
  return kind.role === 'filesystem' && kind.open !== undefined;
}

function openWith(
  driver: Openable,
  disk: Disk,
  others: readonly Disk[],
  name: string,
  { tmpdir, warn, findJournal }: OpeningContext,
  { options, writable = false }: OpenFileSystemOptions,
): Opened {
  const layers: Disk[] = [];
  try {
    const fileSystem = driver.open(disk, {
      overlay: (base) => {
        // A slice closes nothing: the device outlives the layer that is put over it.
        const layer = discardableLayer(new SliceDisk(base, 0, base.size), tmpdir);
        layers.push(layer);
        return layer;
      },
      warn: (message) => warn(`${name}: ${message}`),
      readonly: !writable,
      ...(others.length === 0 ? {} : { others }),
      ...(options === undefined ? {} : { options }),
      ...(findJournal === undefined ? {} : { findJournal }),
    });
    return { fileSystem, layers };
  } catch (thrown) {
    for (const layer of layers) layer.close();
    throw thrown;
  }
}
