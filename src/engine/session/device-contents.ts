/** The contents of each device of a session, by signature. A device is examined once, until the devices change. */
import { endsCall, GuestfsError } from '../../base/index.js';
import type { Probed } from '../../disk/index.js';
import type { BlockDevice } from '../../vfs/index.js';
import { ofDevice } from './device-error.js';
import type { LayerKind } from './kinds.js';
import type { PartitionTables } from './partition-tables.js';
import { identityOf, namesOf, type Recognition, recognise } from './recognition.js';
import type { Warnings } from './warnings.js';

export class DeviceContents {
  readonly #recognised = new Map<BlockDevice, Recognition>();
  readonly #tables: PartitionTables;
  readonly #kinds: readonly LayerKind[];
  readonly #warnings: Warnings;

  constructor(tables: PartitionTables, kinds: readonly LayerKind[], warnings: Warnings) {
    this.#tables = tables;
    this.#kinds = kinds;
    this.#warnings = warnings;
  }

  /** The devices have changed. */
  forget(): void {
    this.#recognised.clear();
  }

  /** Everything that is recognised on a device. Throws if the device cannot be read. */
  recognise(device: BlockDevice): Recognition {
    let recognition = this.#recognised.get(device);
    if (recognition === undefined) {
      recognition = this.#look(device);
      this.#recognised.set(device, recognition);
      const { ambivalent, unread } = recognition;
      if (ambivalent)
        this.#warnings.warn(
          `${device.name}: has signatures of ${namesOf(recognition)}: its type is not known`,
        );
      if (unread)
        this.#warnings.warn(`${device.name}: some filesystems could not be looked for: ${unread.message}`);
    }
    return recognition;
  }

  #look(device: BlockDevice): Recognition {
    const partitions = this.#tables.known(device)?.table?.partitions ?? [];
    try {
      return recognise(
        device.disk,
        {
          whole: device.kind !== 'partition',
          covered: (offset, length) =>
            partitions.some(
              ({ startInBytes, sizeInBytes }) =>
                startInBytes <= offset && startInBytes + sizeInBytes >= offset + length,
            ),
        },
        this.#kinds,
      );
    } catch (thrown) {
      throw thrown instanceof GuestfsError ? ofDevice(device.name, thrown) : thrown;
    }
  }

  /**
   * The content of a device by its signature; undefined if unknown, and if several signatures contradict each other.
   * Throws if the device cannot be read.
   */
  probe(device: BlockDevice): Probed | undefined {
    return identityOf(this.recognise(device));
  }

  /** As {@link probe}, but a device that cannot be read counts as unknown. */
  probeIfReadable(device: BlockDevice): Probed | undefined {
    try {
      return this.probe(device);
    } catch (thrown) {
      if (thrown instanceof GuestfsError && !endsCall(thrown)) return undefined;
      throw thrown;
    }
  }
}
