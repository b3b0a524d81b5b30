/**
 * The properties of a session's devices for which udev makes links: contents, partition table entries,
 * device-mapper's names.
 */
import { partitionUuid } from '../../partition/index.js';
import type { BlockDevice, DeviceProperty, DeviceTable } from '../../vfs/index.js';
import type { DeviceContents } from './device-contents.js';
import type { PartitionTables } from './partition-tables.js';
import type { DeviceScan } from './scan.js';

/** Where properties are looked up. */
interface DevicePropertyParts {
  readonly devices: DeviceTable;
  readonly tables: PartitionTables;
  readonly contents: DeviceContents;
  readonly scan: DeviceScan;
}

/** The device that has a property. */
export function findByProperty(
  { devices, tables, contents, scan }: DevicePropertyParts,
  property: DeviceProperty,
  value: string,
): BlockDevice | undefined {
  if (value === '') return undefined;
  switch (property) {
    case 'dmMinor':
      return scan.findByMinor(Number(value));
    case 'dmUuid':
      return scan.findVolume(value);
    case 'pvUuid': {
      const name = scan.systems.findMember(value);
      return name === undefined ? undefined : devices.find(name);
    }
  }
  const same = value.toLowerCase();
  const candidates = [...devices.drives, ...devices.partitions(), ...devices.volumes];
  return candidates.find((device) => {
    if (property === 'partuuid') return uuidOf(tables, device) === same;
    if (property === 'partlabel') return tables.partition(device)?.name === value;
    const probed = contents.probeIfReadable(device);
    return property === 'uuid' ? probed?.uuid.toLowerCase() === same : probed?.label === value;
  });
}

function uuidOf(tables: PartitionTables, device: BlockDevice): string | undefined {
  const partition = tables.partition(device);
  if (partition === undefined || device.parent === undefined) return undefined;
  const table = tables.table(device.parent);
  return table && partitionUuid(table, partition);
}
