/** Devices whose bytes are changed by other ways than a filesystem. */
import { GuestfsError } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import type { BlockDevice } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';

/** Why a device cannot be written: its image was added for that, and is of a format that the engine only reads. */
export function whyUnwritable({ session }: Call, device: BlockDevice): GuestfsError | undefined {
  for (const drive of session.scan.drivesUnder(device)) {
    const unwritable = session.drive(drive)?.unwritable;
    if (unwritable !== undefined) return unwritable;
  }
  return undefined;
}

/** A device whose bytes are to be changed. EPERM if it is read-only, as the kernel says of a device. */
export function writableDevice(call: Call, name: string): BlockDevice {
  const device = call.session.devices.resolve(name);
  const refusal = device.disk.writable ? undefined : whyUnwritable(call, device);
  if (refusal !== undefined) throw refusal;
  if (device.readonly || !device.disk.writable)
    throw new GuestfsError('EPERM', `${name}: the device is read-only`);
  return device;
}

/** Runs `work`, which changes the bytes of a device, and has the session look at the device again, however it ends. */
export function changeDevice(call: Call, device: BlockDevice, work: (disk: Disk) => void): void {
  call.touch();
  try {
    work(device.disk);
  } finally {
    call.session.written(device);
  }
}
