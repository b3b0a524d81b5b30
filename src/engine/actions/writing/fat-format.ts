/** Making FAT volumes, as libguestfs runs mkfs.fat. */
import { GuestfsError, viewOf } from '../../../base/index.js';
import { platform } from '../../../disk/index.js';
import { planFat } from '../../../fs/index.js';
import type { Call } from '../../thread/call.js';
import { changeDevice, writableDevice } from './changed-device.js';
import { eraseSignatures } from './signatures.js';

const fatTypes = new Set(['vfat', 'msdos', 'fat']);

export function isFatType(fstype: string): boolean {
  return fatTypes.has(fstype);
}

interface FatChoices {
  /** Bytes of a cluster. */
  readonly blocksize?: number | undefined;
  readonly features?: string | undefined;
  readonly label?: string | undefined;
}

/** The number by which a volume is known. */
function randomSerial(): number {
  const bytes = new Uint8Array(4);
  platform().random(bytes);
  const at = 0;
  return viewOf(bytes).getUint32(at);
}

export function makeFat(call: Call, name: string, { blocksize, features, label }: FatChoices): void {
  if (features !== undefined)
    throw new GuestfsError('EINVAL', 'features (-O) are those of other filesystems');
  const device = writableDevice(call, name);
  call.session.checkUnused(device);
  const { sectorSize, disk } = device;
  const sectorsPerCluster = blocksize === undefined ? undefined : Math.floor(blocksize / sectorSize);
  if (sectorsPerCluster !== undefined && (sectorsPerCluster < 1 || sectorsPerCluster > 128))
    throw new GuestfsError(
      'EINVAL',
      `unsupported cluster size: ${blocksize} bytes are ${sectorsPerCluster} sectors of ${sectorSize} bytes`,
    );
  const start = call.session.tables.partition(device)?.startInBytes ?? 0;
  const write = planFat(disk, {
    sectorSize,
    ...(sectorsPerCluster === undefined ? {} : { sectorsPerCluster }),
    ...(label === undefined ? {} : { label }),
    serial: randomSerial(),
    hiddenSectors: start / sectorSize,
    now: { seconds: Math.floor(Date.now() / 1000), nanoseconds: 0 },
  });
  eraseSignatures(call, device, { tables: true });
  changeDevice(call, device, () => write());
}
