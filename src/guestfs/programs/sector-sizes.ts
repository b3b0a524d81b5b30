/** Drives whose partition table is for sectors of 4096 bytes, as it is in an image of such a disk. */
import type { CallControls } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import { driveName } from '../../formats/index.js';
import type { Guestfs } from '../guestfs.js';

/**
 * The offset of a GPT header on a disk of 4096-byte sectors, and the offset of the type byte of the first MBR entry.
 */
const largeSector = 4096;
const firstTypeOffset = 450;

/** The first bytes of a drive; none if they cannot be read, which later use of the drive will report. */
async function readStart(g: Guestfs, device: string, count: number, controls: CallControls): Promise<Buffer> {
  try {
    return Buffer.from(await g.preadDevice(device, count, 0, controls));
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') throw thrown;
    return Buffer.alloc(0);
  }
}

/**
 * For each of the first `count` drives of a handle whose drives have sectors of 512 bytes: 4096 if it has a GPT for
 * sectors of that size. Undefined if none has.
 */
export async function findLargeSectors(
  g: Guestfs,
  count: number,
  controls: CallControls = {},
): Promise<readonly (4096 | undefined)[] | undefined> {
  const sizes: (4096 | undefined)[] = [];
  for (let index = 0; index < count; index++) {
    const start = await readStart(g, driveName(index), largeSector + 8, controls);
    const isLarge =
      start[firstTypeOffset] === 0xee &&
      start.toString('latin1', largeSector) === 'EFI PART' &&
      start.toString('latin1', 512, 520) !== 'EFI PART';
    sizes.push(isLarge ? largeSector : undefined);
  }
  return sizes.some((size) => size !== undefined) ? sizes : undefined;
}
