/** A new image of the host that is written at once, in the engine's thread. What fails leaves no file behind. */
import { statSync, unlinkSync, writeFileSync } from 'node:fs';
import { encodeText, GuestfsError, hostError } from '../../base/index.js';
import { type Disk, platform } from '../../disk/index.js';
import { newQcow2 } from '../../formats/index.js';
import { openDiskImage } from '../../image/index.js';
import type { Call } from '../thread/call.js';

const clusterSize = 65536;

/** Makes an image of a size, in bytes, in the place of what has the name, and fills it. EINVAL for a name of no file. */
export function withNewImage(
  call: Call,
  { image, format }: { readonly image: string; readonly format: 'raw' | 'qcow2' },
  sizeInBytes: number,
  fill: (disk: Disk) => void,
): void {
  const path = Buffer.from(encodeText(image));
  call.touch();
  try {
    // Opening a pipe would wait for its other end.
    const before = statSync(path, { throwIfNoEntry: false });
    if (before !== undefined && !before.isFile())
      throw new GuestfsError('EINVAL', `${image}: is no regular file, and no image can be made there`);
    writeFileSync(path, '');
  } catch (thrown) {
    throw hostError(image, thrown);
  }
  try {
    begin(image, format, sizeInBytes);
    const { disk } = openDiskImage(platform().origin(image), { format, writable: true });
    try {
      fill(disk);
      disk.flush();
    } finally {
      disk.close();
    }
  } catch (thrown) {
    unlinkSync(path);
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
