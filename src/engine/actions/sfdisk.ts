/** What sfdisk of util-linux 2.38 says of a device, which libguestfs hands on as it is. */
import { kernelGeometry, sfdiskGeometry } from '../../partition/index.js';
import type { BlockDevice } from '../../vfs/index.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

/** Linux answers for a partition as for its drive, and of device-mapper's devices says nothing. */
function driveOf(device: BlockDevice): BlockDevice | undefined {
  if (device.kind === 'partition') return device.parent && driveOf(device.parent);
  return device.kind === 'drive' ? device : undefined;
}

/** Both actions: the one for what the table implies was dropped from sfdisk, which then says the same for both. */
function geometry({ session }: Call, name: string): string {
  const device = session.devices.resolve(name);
  const drive = driveOf(device);
  const { heads, sectors, cylinders } = sfdiskGeometry(device.disk, {
    kernel: drive && kernelGeometry(drive.disk),
    hasMbr: device.kind !== 'partition' && session.tables.table(device)?.scheme === 'msdos',
    bytesPerSector: device.sectorSize,
  });
  return `${device.name}: ${cylinders} cylinders, ${heads} heads, ${sectors} sectors/track\n`;
}

export const sfdiskHandlers = {
  sfdisk_kernel_geometry: geometry,
  sfdisk_disk_geometry: geometry,
} satisfies TopicHandlers;
