/**
 * The state of one launch of the embedded engine: the open drives, their block devices, and the mounts. Handlers work
 * on this; it knows no actions, and no kind of layer by name.
 */
import type { BackendConfig } from '../../api/index.js';
import { type Elsewhere, forEachInSpite, GuestfsError } from '../../base/index.js';
import type { Hive, HiveEditor, JournalReader } from '../../formats/index.js';
import type { Inspection } from '../../inspect/index.js';
import {
  type BlockDevice,
  type DeviceProperty,
  DeviceTable,
  type Mount,
  MountTable,
  SwapAreas,
  type Tree,
  type Watches,
} from '../../vfs/index.js';
import type { LockKey } from '../../volume/index.js';
import { Damage } from './damage.js';
import { DeviceContents } from './device-contents.js';
import { findByProperty } from './device-properties.js';
import { DirectoryRuns } from './directory-runs.js';
import { type OpenDrive, openDrive } from './drive.js';
import { kinds } from './kinds.js';
import { OpenFileSystems } from './open-filesystems.js';
import { PartitionTables } from './partition-tables.js';
import { DeviceScan } from './scan.js';
import { SessionCalls } from './session-calls.js';
import { Warnings } from './warnings.js';

/** Where a session's messages go. */
type SessionLog = (
  kind: 'appliance' | 'library' | 'warning',
  message: string,
  partial?: boolean,
  elsewhere?: Elsewhere,
) => void;

/** How far a launch is that takes long. */
type SessionProgress = (position: number, total: number) => void;

/** The journal that is open. Exported for the compiler. */
export interface OpenJournal {
  readonly journal: JournalReader;
  /** Where it is: the journal is closed with its mount. */
  readonly mount: Mount;
  /** After how many bytes fields may be cut off; 0 for never. No more than a number here. */
  threshold: number;
  /** Entries from the one that the first step led to, to where it stands; undefined before that. */
  position: number | undefined;
}

/** The registry hive that is open. Exported for the compiler. */
export interface OpenHive {
  readonly hive: Hive;
  /** Where it is: the hive is closed with its mount. */
  readonly mount: Mount;
  readonly path: string;
  /** Whether it was opened to be changed, and the changes since it was read. */
  readonly isWritable: boolean;
  readonly tolerant: boolean;
  editor?: HiveEditor;
  /** How many there were since it was opened. */
  changeCount: number;
}

export class Session {
  readonly config: BackendConfig;
  readonly devices: DeviceTable;
  /** The partition tables of the devices. */
  readonly tables: PartitionTables;
  /** What is on the devices. */
  readonly contents: DeviceContents;
  /** How the devices are found. */
  readonly scan: DeviceScan;
  readonly fileSystems: OpenFileSystems;
  readonly mounts = new MountTable((error, path) => this.damage.leaveOut(error, path));
  /** As in `umask(2)`: limits the permissions of new files. */
  umask = 0o022;
  /** The result of the last `inspect_os`, from which the getters answer. */
  inspection: Inspection | undefined;
  /** What passes over directories have found. */
  readonly directoryRuns = new DirectoryRuns();
  hive: OpenHive | undefined;
  journal: OpenJournal | undefined;
  /** What is watched for changes. */
  watches: Watches | undefined;
  /** The given keys, which are tried at every lock. */
  readonly keys: LockKey[] = [];
  /** The swap areas in use. An engine needs no swap, but what is on one is in use. */
  readonly swaps = new SwapAreas(this.mounts);
  /** What made the session what it is, for a backend that follows. */
  readonly calls = new SessionCalls();
  /** Warnings: {@link warn} adds to them, and the end of a call settles them. */
  readonly warnings: Warnings;
  /** What the answer of the running call lacks. */
  readonly damage: Damage;
  readonly #drives = new Map<BlockDevice, OpenDrive>();

  private constructor(config: BackendConfig, log: SessionLog) {
    this.config = config;
    this.warnings = new Warnings((message, partial, elsewhere) =>
      log('warning', message, partial, elsewhere),
    );
    this.damage = new Damage(this.warnings);
    this.devices = new DeviceTable(
      (property, value) => this.findByProperty(property, value)?.name,
      (name) => this.scan.systems.absence(name),
    );
    this.tables = new PartitionTables(this.warnings);
    this.contents = new DeviceContents(this.tables, kinds, this.warnings);
    const { devices, tables, contents, warnings, keys, calls } = this;
    this.fileSystems = new OpenFileSystems({
      devices,
      contents,
      kinds,
      tmpdir: config.tmpdir,
      warn: (message) => this.warn(message),
    });
    this.scan = new DeviceScan({
      devices,
      kinds,
      tables,
      contents,
      warnings,
      keys,
      calls,
      isOpen: (device) => this.fileSystems.isOpen(device) || this.swaps.isOn(device),
    });
  }

  /** Opens the drives and finds their devices. Rejects, leaving nothing open, if a drive cannot be opened. */
  static async start(
    config: BackendConfig,
    log: SessionLog,
    progress: SessionProgress = () => {},
  ): Promise<Session> {
    const session = new Session(config, log);
    try {
      for (const drive of config.drives)
        session.#addDrive(drive, { tell: (message) => log('library', message), progress });
      session.scan.rescan();
    } catch (thrown) {
      session.warnings.settle();
      session.close({ sync: false });
      throw thrown;
    }
    session.warnings.settle();
    return session;
  }

  get tree(): Tree {
    return this.mounts.tree;
  }

  /** Reports something odd that does not stop a call or the launch; see {@link Warnings.warn}. */
  warn(message: string, kind?: string): void {
    this.warnings.warn(message, kind);
  }

  #addDrive(
    config: BackendConfig['drives'][number],
    listeners: { tell(message: string): void; readonly progress: SessionProgress },
  ): void {
    const open = openDrive(config, {
      ...listeners,
      policy: this.config.policy,
      tmpdir: this.config.tmpdir,
      warn: (message) => this.warn(message),
    });
    const device = this.devices.addDrive({
      open: () => open.disk,
      sectorSize: open.sectorSize,
      // A drive that was added read-only can be written, and its changes are discarded.
      readonly: false,
      ...(open.label === undefined ? {} : { label: open.label }),
    });
    this.#drives.set(device, open);
    // The table closes a drive's disk only if it has opened it, so the disk is opened through the table.
    void device.disk;
  }

  /** What was opened for a whole drive. */
  drive(device: BlockDevice): OpenDrive | undefined {
    return this.#drives.get(device);
  }

  /** The device that has a property. */
  findByProperty(property: DeviceProperty, value: string): BlockDevice | undefined {
    return findByProperty(this, property, value);
  }

  /** EBUSY where a device, or one that lies on it, is in use. As in Linux, a volume that is active uses its members. */
  checkUnused(device: BlockDevice): void {
    if (this.scan.isInUse(device))
      throw new GuestfsError('EBUSY', `${device.name}: is in use: unmount what is on it first`);
    const holder = this.scan.findHolder(device);
    if (holder !== undefined)
      throw new GuestfsError('EBUSY', `${device.name}: is in use: ${holder.name} lies on it`);
  }

  /**
   * The bytes of a device were changed by other ways than its filesystem: what was known of it is looked at again, and
   * the devices on it are found anew.
   */
  written(device: BlockDevice): void {
    this.scan.rescan([device.name]);
  }

  /** The mount of a device, if it is mounted. */
  mountOf(device: BlockDevice): Mount | undefined {
    return this.mounts.mounts().find(({ source }) => this.devices.find(source) === device);
  }

  /** Makes durable what was done to files, and then what was done to drives. */
  sync(): void {
    const flushes = this.devices.drives.map(
      ({ disk }) =>
        () =>
          disk.flush(),
    );
    forEachInSpite([() => this.mounts.sync(), ...flushes], (work) => work());
  }

  /**
   * Opens the filesystem of a mount anew, for writing or no more for writing, for all its mounts. EBUSY where a file of
   * it is being written, as one is that holds a filesystem.
   */
  remount({ fileSystem, mountpoint }: Mount, writable: boolean): void {
    const inside = this.mounts
      .mounts()
      .find(({ holder, readonly }) => holder?.fileSystem === fileSystem && !readonly);
    if (!writable && inside !== undefined)
      throw new GuestfsError(
        'EBUSY',
        `${mountpoint}: what is mounted on ${inside.mountpoint} is written to it`,
      );
    const after = this.fileSystems.reopen(fileSystem, writable);
    this.mounts.reopened(fileSystem, after, !writable);
    this.directoryRuns.forgetAll();
  }

  /**
   * Unmounts everything and closes the drives. With `sync` the drives are flushed first. What could not be written is
   * thrown once all is closed.
   */
  close({ sync }: { readonly sync: boolean }): void {
    this.swaps.end();
    const flushes = sync
      ? [...this.#drives.values()].map(
          ({ disk }) =>
            () =>
              disk.flush(),
        )
      : [];
    const close = (): void => {
      this.devices.close();
      this.#drives.clear();
    };
    forEachInSpite([() => this.mounts.umountAll(), ...flushes, close], (work) => work());
  }
}
