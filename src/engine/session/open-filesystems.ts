/** The open filesystems of a session. Opening one that is open already shares it. */
import { forEachInSpite, GuestfsError, UnsupportedError } from '../../base/index.js';
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
  /**
   * Whether it will be written, in which case less damage is accepted. Left out by those who only look at it: they
   * share one that is open, however it is.
   */
  readonly writable?: boolean;
}

/** An open filesystem, and how to release it. */
interface FileSystemLease {
  readonly fileSystem: FileSystem;
  /** Linux only reads filesystems of this kind. */
  readonly neverWritten: boolean;
  release(): void;
}

/** A filesystem that is open, and the layers of changes that its driver asked for. */
interface Opened {
  readonly fileSystem: FileSystem;
  readonly layers: readonly Disk[];
}

/** How one that is open is opened anew, for writing or not. */
interface Reopening {
  opened: Opened;
  writable: boolean;
  readonly open: (writable: boolean) => Opened;
}

interface SharedFileSystem extends Reopening {
  /** All devices that it is on. */
  readonly devices: readonly BlockDevice[];
  /** Linux only reads filesystems of this kind: see {@link FileSystemDriver.neverWritten}. */
  readonly neverWritten: boolean;
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
  /** Those in files of others. */
  readonly #inFiles = new Set<Reopening>();

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
    } else checkShareable(shared, device.name, wanted, this.#parts.kinds);
    const mine = shared;
    mine.users++;
    let released = false;
    return {
      fileSystem: mine.opened.fileSystem,
      neverWritten: mine.neverWritten,
      release: () => {
        if (released) return;
        released = true;
        if (--mine.users > 0) return;
        for (const each of mine.devices) {
          const views = this.#open.get(each);
          views?.delete(view);
          if (views?.size === 0) this.#open.delete(each);
        }
        closeOpened(mine.opened);
      },
    };
  }

  /** Opens a filesystem in a file. `open` gives it for writing or not. */
  openInFile(
    open: (writable: boolean) => Opened,
    writable: boolean,
  ): Pick<FileSystemLease, 'fileSystem' | 'release'> {
    const mine = { opened: open(writable), writable, open };
    this.#inFiles.add(mine);
    return {
      fileSystem: mine.opened.fileSystem,
      release: () => {
        if (this.#inFiles.delete(mine)) closeOpened(mine.opened);
      },
    };
  }

  /**
   * Opens an open filesystem anew, for writing or no more for writing, and gives what it is from now on. All that was
   * changed is on its device by then.
   */
  reopen(fileSystem: FileSystem, writable: boolean): FileSystem {
    const onDevices = [...this.#open.values()].flatMap((views) => [...views.values()]);
    const known = [...onDevices, ...this.#inFiles].find(({ opened }) => opened.fileSystem === fileSystem);
    if (known === undefined || known.writable === writable) return fileSystem;
    const before = known.opened;
    // One that is not written can stay open until the other is, and does where that fails.
    if (known.writable) closeOpened(before);
    known.opened = known.open(writable);
    if (!known.writable) closeOpened(before);
    known.writable = writable;
    return known.opened.fileSystem;
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
    const open = (writable: boolean): Opened =>
      openWith(driver, device.disk, others, name, context, { ...wanted, writable });
    const writable = wanted.writable ?? false;
    const neverWritten = driver.neverWritten ?? false;
    return { opened: open(writable), writable, neverWritten, open, devices, users: 0 };
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
export function openFileSystemOn(
  disk: Disk,
  name: string,
  context: OpeningContext,
  wanted: Pick<OpenFileSystemOptions, 'writable'> = {},
): Opened {
  const driver = chooseDriver(name, undefined, kinds, () => recognise(disk), context.warn);
  return openWith(driver, disk, [], name, context, wanted);
}

/** Closes a filesystem and its layers, also where it could not write all. */
function closeOpened({ fileSystem, layers }: Opened): void {
  forEachInSpite([fileSystem, ...layers], (each) => each.close());
}

/** EBUSY where an open filesystem is not what is wanted: it has one type, and is written by all or by none. */
function checkShareable(
  { opened, writable, neverWritten }: SharedFileSystem,
  name: string,
  wanted: OpenFileSystemOptions,
  known: readonly LayerKind[],
): void {
  const { type } = opened.fileSystem;
  // Types of the same driver: each may be requested under the name of another.
  const isSame = ({ types }: FileSystemDriver): boolean =>
    wanted.type !== undefined && types.includes(type) && types.includes(wanted.type);
  const isOther =
    wanted.type !== undefined &&
    wanted.type !== type &&
    !known.some((kind) => kind.role === 'filesystem' && isSame(kind));
  if (isOther) throw new GuestfsError('EBUSY', `${name}: is in use as ${type}`);
  if (!neverWritten && wanted.writable !== undefined && wanted.writable !== writable) {
    const is = writable ? 'for writing' : 'read-only';
    throw new GuestfsError('EBUSY', `${name}: is mounted ${is} already; see remount`);
  }
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
