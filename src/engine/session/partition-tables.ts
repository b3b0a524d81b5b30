/** The partition tables of a session's devices: each is read once, and again after its device changed. */
import { asGuestfsError, endsCall, type GuestfsError } from '../../base/index.js';
import {
  otherSectorSize,
  type Partition,
  type PartitionTable,
  readPartitionTable,
} from '../../partition/index.js';
import type { BlockDevice } from '../../vfs/index.js';
import { ofDevice } from './device-error.js';
import type { Warnings } from './warnings.js';

/** What came of reading a table. */
interface ReadTable {
  readonly table: PartitionTable | undefined;
  readonly fault: GuestfsError | undefined;
}

export class PartitionTables {
  readonly #read = new Map<BlockDevice, ReadTable>();
  readonly #warnings: Warnings;

  constructor(warnings: Warnings) {
    this.#warnings = warnings;
  }

  /** Whether it was read, however that ended. */
  has(device: BlockDevice): boolean {
    return this.#read.has(device);
  }

  forget(device: BlockDevice): void {
    this.#read.delete(device);
  }

  /** Forgets the tables of all devices but these. */
  keepOnly(devices: ReadonlySet<BlockDevice>): void {
    for (const device of this.#read.keys()) if (!devices.has(device)) this.#read.delete(device);
  }

  /** The partition table of a device; undefined without a readable one. */
  table(device: BlockDevice): PartitionTable | undefined {
    return this.#of(device)?.table;
  }

  /** Why the partition table of a device cannot be read; undefined if it can, or there is none. */
  fault(device: BlockDevice): GuestfsError | undefined {
    return this.#of(device)?.fault;
  }

  /** Both, for a device whose table was read already. Reads nothing. */
  known(device: BlockDevice): ReadTable | undefined {
    return this.#read.get(device);
  }

  /** A volume may have a table whose partitions have no devices; it is read on demand. */
  #of(device: BlockDevice): ReadTable | undefined {
    if (device.kind === 'volume' && !this.#read.has(device)) this.read(device);
    return this.#read.get(device);
  }

  /** The partition behind a device; undefined for drives and volumes. */
  partition(device: BlockDevice): Partition | undefined {
    if (device.parent === undefined) return undefined;
    return this.table(device.parent)?.partitions.find(({ number }) => number === device.number);
  }

  /**
   * Reads a device's table. Returns the partitions that are devices; as in the kernel, none if the table is damaged.
   */
  read(device: BlockDevice): readonly Partition[] {
    let table: PartitionTable | undefined;
    let fault: GuestfsError | undefined;
    try {
      table = readPartitionTable(device.disk, device.sectorSize);
      for (const warning of table?.warnings ?? []) this.#warnings.warn(`${device.name}: ${warning}`);
      if (table === undefined) this.#warnOfOtherSectors(device);
    } catch (thrown) {
      if (endsCall(thrown)) throw thrown;
      fault = ofDevice(device.name, asGuestfsError(thrown));
      this.#warnings.warnOf(device.name, fault, 'partitions are not shown');
    }
    this.#read.set(device, { table, fault });
    return table?.hasDevices === false ? [] : (table?.partitions ?? []);
  }

  #warnOfOtherSectors(device: BlockDevice): void {
    const other = otherSectorSize(device.disk, device.sectorSize);
    if (other !== undefined)
      this.#warnings.warn(
        `${device.name}: no partitions are found with sectors of ${device.sectorSize} bytes, but there is a GPT for sectors of ${other}: add the drive with blocksize ${other}`,
      );
  }
}
