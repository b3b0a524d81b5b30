/**
 * What one launch of the embedded engine holds: the open drives, the block devices that were found on them, and
 * what is mounted. Handlers work on this; it knows nothing of actions, and of no kind of layer by name.
 */
import type { BackendConfig } from '../../api/index.js';
import type { Elsewhere } from '../../base/index.js';
import { prepareZstd } from '../../disk/index.js';
import type { Inspection } from '../../inspect/index.js';
import {
  type BlockDevice,
  type DeviceProperty,
  DeviceTable,
  type Mount,
  MountTable,
  type Tree,
} from '../../vfs/index.js';
import type { LockKey } from '../../volume/index.js';
import { Damage } from './damage.js';
import { DeviceContents } from './device-contents.js';
import { findByProperty } from './device-properties.js';
import { type OpenDrive, openDrive } from './drive.js';
import { kinds } from './kinds.js';
import { OpenFileSystems } from './open-filesystems.js';
import { PartitionTables } from './partition-tables.js';
import { DeviceScan } from './scan.js';
import { Warnings } from './warnings.js';

/** Where a session's messages go. */
export type SessionLog = (
  kind: 'appliance' | 'library' | 'warning',
  message: string,
  partial?: boolean,
  elsewhere?: Elsewhere,
) => void;

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
  /** As in `umask(2)`; new files get their permissions through it. */
  umask = 0o022;
  /** What the last `inspect_os` found: the getters answer from it. */
  inspection: Inspection | undefined;
  /** The keys that were given, which are tried at every lock. */
  readonly keys: LockKey[] = [];
  /** What is odd but can be lived with: {@link warn} adds to it, and whoever ends a call settles it. */
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
    const { devices, tables, contents, warnings, keys } = this;
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
      isOpen: (device) => this.fileSystems.isOpen(device),
    });
  }

  /** Opens the drives and finds what is on them. Rejects, with nothing left open, when a drive cannot be opened. */
  static async start(config: BackendConfig, log: SessionLog): Promise<Session> {
    const session = new Session(config, log);
    try {
      for (const drive of config.drives) session.#addDrive(drive);
      // The decoder is compiled by a promise, so it must be there before the first read that may want it.
      if ([...session.#drives.values()].some(({ usesZstd }) => usesZstd)) await prepareZstd();
      session.scan.rescan();
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

  /**
   * Tells the user of something odd that does not keep a call, or the launch, from succeeding; see {@link
   * Warnings.warn}.
   */
  warn(message: string, kind?: string): void {
    this.warnings.warn(message, kind);
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
  drive(device: BlockDevice): OpenDrive | undefined {
    return this.#drives.get(device);
  }

  /** The device that has a property. */
  findByProperty(property: DeviceProperty, value: string): BlockDevice | undefined {
    return findByProperty(this, property, value);
  }

  /** The mount that serves a device, if it is mounted. */
  mountOf(device: BlockDevice): Mount | undefined {
    return this.mounts.mounts().find(({ source }) => this.devices.find(source) === device);
  }

  /** Unmounts everything and closes the drives. */
  close(): void {
    this.mounts.umountAll();
    this.devices.close();
    this.#drives.clear();
  }
}
