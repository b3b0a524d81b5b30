/** Labels, UUIDs and the parameters of ext2, ext3 and ext4: as tune2fs(8) and e2label(8), which libguestfs runs. */
import { encodeText, GuestfsError, UnsupportedError } from '../../../base/index.js';
import { extDetails, planGrowth, planTuning, type Tuning } from '../../../fs/index.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { changeDevice, writableDevice } from './changed-device.js';
import { checkExtLabel } from './ext-format.js';
import { uuidBytes } from './uuids.js';
import { checkNotNegative } from './writer.js';

const elsewhere = { elsewhere: 'appliance' } as const;

/** Changes the superblock of a device: of one that is mounted, as a part of its filesystem. */
function tune(call: Call, name: string, tuning: Tuning): void {
  const device = writableDevice(call, name);
  const { fileSystems, scan } = call.session;
  const mounted = fileSystems.isOpen(device) ? fileSystems.open(device) : undefined;
  try {
    if (mounted === undefined && scan.isInUse(device))
      throw new UnsupportedError(name, ['changing the superblock of a device that is in use'], elsewhere);
    const write = planTuning(device.disk, tuning, Math.floor(Date.now() / 1000), mounted?.fileSystem);
    changeDevice(call, device, () => write());
  } finally {
    mounted?.release();
  }
}

/** Sets the label of a filesystem of the ext kinds. */
export function setExtLabel(call: Call, name: string, label: string): void {
  checkExtLabel(label);
  tune(call, name, { label });
}

export function setExtUuid(call: Call, name: string, uuid: string): void {
  tune(call, name, { uuid: uuidBytes(uuid) });
}

const errorBehaviours = ['continue', 'remount-ro', 'panic'] as const;
const longestDirectory = 64;

/** Makes a filesystem larger: one that is in use, and one that would be made smaller, are elsewhere. */
function resize(call: Call, name: string, sizeInBytes?: number): void {
  const device = writableDevice(call, name);
  if (call.session.scan.isInUse(device))
    throw new UnsupportedError(name, ['resizing a filesystem that is in use'], elsewhere);
  const write = planGrowth(device.disk, sizeInBytes, Math.floor(Date.now() / 1000));
  if (write !== undefined) changeDevice(call, device, () => write());
}

/** Of a filesystem that is as small as it can be, there is nothing to do. */
function shrink(call: Call, name: string): void {
  const device = writableDevice(call, name);
  if (call.session.scan.isInUse(device))
    throw new UnsupportedError(name, ['resizing a filesystem that is in use'], elsewhere);
  const { fileSystem, release } = call.session.fileSystems.open(device);
  try {
    const details = extDetails(fileSystem);
    if (details === undefined)
      throw new GuestfsError('EINVAL', `${name}: is no filesystem of the kinds ext2, ext3 and ext4`);
    if (details.minimumBlockCount() < details.blockCount)
      throw new UnsupportedError(name, ['making a filesystem smaller'], elsewhere);
  } finally {
    release();
  }
}

const sizeUnit = 1024;

export const extTuneHandlers = {
  resize2fs: (call, name) => resize(call, name),
  resize2fs_M: shrink,
  resize2fs_size: (call, name, size) => {
    if (size % sizeUnit !== 0)
      throw new GuestfsError('EINVAL', `${size}: size must be a multiple of ${sizeUnit} bytes`);
    checkNotNegative(size, 'size');
    resize(call, name, size);
  },
  tune2fs: (call, name, options) => {
    for (const [option, value] of Object.entries(options))
      if (typeof value === 'number' && value < 0)
        throw new GuestfsError('EINVAL', `${option} cannot be negative`);
    const { errorbehavior: behaviour, lastmounteddirectory: lastMounted } = options;
    const onErrors = errorBehaviours.find((known) => known === behaviour);
    if (behaviour !== undefined && onErrors === undefined)
      throw new GuestfsError('EINVAL', `invalid errorbehavior parameter: ${behaviour}`);
    if (lastMounted !== undefined && encodeText(lastMounted).length > longestDirectory)
      throw new GuestfsError('EINVAL', `${lastMounted}: is longer than ${longestDirectory} bytes`);
    const numbers = {
      mostMounts: options.maxmountcount,
      mounts: options.mountcount,
      reservedGroup: options.group,
      reservedUser: options.user,
      checkInterval: options.intervalbetweenchecks,
      reservedPercent: options.reservedblockspercentage,
      reservedBlocks: options.reservedblockscount,
    };
    const given = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined));
    tune(call, name, {
      ...given,
      ...(onErrors !== undefined && { onErrors }),
      ...(lastMounted !== undefined && { lastMounted }),
    });
  },
  set_e2label: setExtLabel,
  set_e2uuid: setExtUuid,
} satisfies TopicHandlers;
