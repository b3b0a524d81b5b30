/** A host for inspection whose filesystems are in memory: one drive, one system on each partition. */
import { systemError } from '../../src/base/index.js';
import { MemoryDisk } from '../../src/disk/index.js';
import type { InspectionHost } from '../../src/inspect/index.js';
import { Inspection } from '../../src/inspect/index.js';
import { DeviceTable, type FileSystem } from '../../src/vfs/index.js';
import { MemoryFileSystem, type MemoryFiles } from '../support/memory-fs.js';
import { labelOf, type System, swapUuid, uuidOf } from './distributions.js';

export interface TestHost extends InspectionHost {
  readonly warnings: string[];
  /** How many filesystems are open. */
  open(candidate: { readonly mountable: string }): { fileSystem: FileSystem; release(): void };
  opened: number;
}

/** A host with a system on each partition of /dev/sda, then swap. */
export function hostOf(systems: readonly System[], type = 'ext4'): TestHost {
  const fileSystems = systems.map(({ files }) => new MemoryFileSystem(files, { type }));
  const count = systems.length + 1;
  const devices = new DeviceTable((property, value) => {
    if (property === 'uuid' && value === swapUuid) return `/dev/sda${count}`;
    for (let partition = 1; partition < count; partition++) {
      if (property === 'uuid' && value === uuidOf(partition)) return `/dev/sda${partition}`;
      if (property === 'label' && value === labelOf(partition)) return `/dev/sda${partition}`;
      if (property === 'partuuid' && value === `pu-${partition}`) return `/dev/sda${partition}`;
      if (property === 'partlabel' && value === `pl ${partition}`) return `/dev/sda${partition}`;
    }
    // The one volume that a test may add.
    return property === 'dmUuid' && value === 'LVM-vvllll' ? '/dev/V-G/LV' : undefined;
  });
  const open = () => new MemoryDisk(new Uint8Array(512));
  const drive = devices.addDrive({ open });
  devices.setPartitions(
    drive,
    Array.from({ length: count }, (_, i) => ({ number: i + 1, open })),
  );
  const warnings: string[] = [];
  const host: TestHost = {
    devices,
    warnings,
    opened: 0,
    *candidates() {
      for (let i = 0; i < fileSystems.length; i++) yield { mountable: `/dev/sda${i + 1}`, type };
      yield { mountable: `/dev/sda${count}`, type: 'swap' };
    },
    open({ mountable }) {
      const fileSystem = fileSystems[Number(mountable.slice('/dev/sda'.length)) - 1];
      if (fileSystem === undefined) throw systemError('EINVAL', mountable);
      host.opened++;
      return {
        fileSystem,
        release: () => {
          host.opened--;
        },
      };
    },
    warn: (message) => {
      warnings.push(message);
    },
  };
  return host;
}

/** Inspects one system alone, on /dev/sda1. */
export function inspectOne(files: MemoryFiles): Inspection {
  return Inspection.run(hostOf([{ name: 'one', files }]));
}

/** What is found on one system that is known to be found. */
export function guestOf(files: MemoryFiles) {
  return inspectOne(files).guest('/dev/sda1');
}
