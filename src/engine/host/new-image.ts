/**
 * A new image of the host that is written at once, in the engine's thread. It is written beside the place where it is to
 * be, and takes that in one step: what fails leaves what was there.
 */
import { chmodSync, closeSync, openSync, realpathSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { decodeText, encodeHex, encodeText, GuestfsError, hostError } from '../../base/index.js';
import { type Disk, platform } from '../../disk/index.js';
import { newQcow2 } from '../../formats/index.js';
import { openDiskImage } from '../../image/index.js';
import type { Call } from '../thread/call.js';

const clusterSize = 65536;

const permissionBits = 0o777;

const onHost = (path: string): Buffer => Buffer.from(encodeText(path));

/** The path of a new, empty file beside an image that is to be made, and where it is to be. EINVAL for no file. */
function newFileFor(image: string): { readonly scratch: string; readonly target: string } {
  try {
    // Opening a pipe would wait for its other end.
    const before = statSync(onHost(image), { throwIfNoEntry: false });
    if (before !== undefined && !before.isFile())
      throw new GuestfsError('EINVAL', `${image}: is no regular file, and no image can be made there`);
    const target =
      before === undefined ? image : decodeText(realpathSync.native(onHost(image), { encoding: 'buffer' }));
    const chance = new Uint8Array(8);
    platform().random(chance);
    const scratch = join(dirname(target), `.guestfs-${encodeHex(chance)}`);
    closeSync(openSync(onHost(scratch), 'wx', 0o666));
    if (before !== undefined) chmodSync(onHost(scratch), before.mode & permissionBits);
    return { scratch, target };
  } catch (thrown) {
    throw hostError(image, thrown);
  }
}

function takePlace(scratch: string, target: string): void {
  try {
    renameSync(onHost(scratch), onHost(target));
  } catch (thrown) {
    throw hostError(target, thrown);
  }
}

/** Makes an image of a size, in bytes, in the place of what has the name, and fills it. EINVAL for a name of no file. */
export function withNewImage(
  call: Call,
  { image, format }: { readonly image: string; readonly format: 'raw' | 'qcow2' },
  sizeInBytes: number,
  fill: (disk: Disk) => void,
): void {
  call.touch();
  const { scratch, target } = newFileFor(image);
  try {
    begin(scratch, format, sizeInBytes);
    const { disk } = openDiskImage(platform().origin(scratch), { format, writable: true });
    try {
      fill(disk);
      disk.flush();
    } finally {
      disk.close();
    }
    takePlace(scratch, target);
  } catch (thrown) {
    unlinkSync(onHost(scratch));
    throw thrown;
  }
}

/** An empty image in an empty file. */
function begin(image: string, format: 'raw' | 'qcow2', virtualSizeInBytes: number): void {
  const file = platform().origin(image).open({ writable: true });
  try {
    if (format === 'raw') return file.resize(virtualSizeInBytes);
    const { pieces, lengthInBytes } = newQcow2({
      virtualSizeInBytes,
      clusterSize,
      version: 3,
      allocated: false,
    });
    file.resize(lengthInBytes);
    for (const { offset, bytes } of pieces) file.write(bytes, offset);
  } finally {
    file.close();
  }
}
