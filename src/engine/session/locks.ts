/** The unlocked devices of a session: for each one, the disk inside as a device `/dev/mapper/NAME`. */
import type { CarriedCall } from '../../api/index.js';
import { GuestfsError, systemError, UnsupportedError } from '../../base/index.js';
import { BlockDevice, type DeviceTable } from '../../vfs/index.js';
import type { LockKey } from '../../volume/index.js';
import type { DeviceContents } from './device-contents.js';
import type { SessionCalls } from './session-calls.js';

/** What locks work with. */
interface LockParts {
  readonly devices: DeviceTable;
  readonly contents: DeviceContents;
  /** The session's keys, which are tried in addition to those of a call. */
  readonly keys: readonly LockKey[];
  /** Where the calls are kept that unlocked something. */
  readonly calls: SessionCalls;
  readonly isInUse: (device: BlockDevice) => boolean;
  /** An unlocked disk came, or went. */
  readonly changed: () => void;
}

export class Locks {
  readonly #parts: LockParts;
  /** The locked devices, by the disks inside. */
  readonly #locked = new Map<BlockDevice, BlockDevice>();

  constructor(parts: LockParts) {
    this.#parts = parts;
  }

  /** The disks inside whose locked device still exists. */
  get unlocked(): readonly BlockDevice[] {
    const { devices } = this.#parts;
    for (const [inside, locked] of this.#locked)
      if (devices.find(locked.name) !== locked) this.#locked.delete(inside);
    return [...this.#locked.keys()];
  }

  /** The locked device that a disk is inside of. */
  lockedBy(inside: BlockDevice): BlockDevice | undefined {
    return this.#locked.get(inside);
  }

  /**
   * Unlocks a device with one of these keys, or of the session's, and makes a device of the disk inside. EINVAL if
   * the device is not locked; EEXIST if the name is in use; EBUSY if the device is in use; EPERM if no key fits. `by`:
   * the call that does the same once more, with the key that fits.
   */
  unlock(
    device: BlockDevice,
    name: string,
    keys: readonly LockKey[],
    options: { readonly readonly: boolean },
    by: CarriedCall,
  ): BlockDevice {
    const { devices, contents, isInUse } = this.#parts;
    const mapperName = `/dev/mapper/${name}`;
    if (name === '' || name.includes('/') || name === '.' || name === '..')
      throw new GuestfsError('EINVAL', `${name}: is no name of a device`);
    if (devices.find(mapperName) !== undefined) throw systemError('EEXIST', mapperName);
    if (isInUse(device) || [...this.#locked.values()].includes(device))
      throw systemError('EBUSY', device.name);
    const sighting = contents.recognise(device).seen.find(({ kind }) => kind.role === 'locked');
    if (sighting?.kind.role !== 'locked') throw new GuestfsError('EINVAL', `${device.name}: is not locked`);
    const { kind, probed } = sighting;
    if (kind.unlock === undefined) throw new UnsupportedError(device.name, [`unlocking ${kind.name}`]);
    const fitting = [...keys, ...this.#parts.keys].filter(
      ({ kind: sort, for: whose }) =>
        (kind.takes?.includes(sort) ?? true) &&
        (whose === undefined || whose === device.name || whose === probed.uuid),
    );
    const disk = kind.unlock(device.disk, fitting, options);
    const inside = new BlockDevice({
      name: mapperName,
      kind: 'volume',
      mapperName,
      sectorSize: device.sectorSize,
      readonly: options.readonly,
      open: () => disk,
    });
    // The table closes a device's disk only if it has opened it, so the disk is opened through the table.
    void inside.disk;
    this.#locked.set(inside, device);
    this.#parts.calls.record('locks', [inside.name], by);
    this.#parts.changed();
    return inside;
  }

  /** Removes the disk inside. ENOENT if no unlocked disk has the name; EBUSY if it is in use. */
  lock(name: string, by: CarriedCall): void {
    const inside = this.unlocked.find((device) => device.name === `/dev/mapper/${name}`);
    if (inside === undefined) throw systemError('ENOENT', `/dev/mapper/${name}`);
    if (this.#parts.isInUse(inside)) throw systemError('EBUSY', inside.name);
    this.#locked.delete(inside);
    this.#parts.calls.takeBack('locks', inside.name, by);
    this.#parts.changed();
  }
}
