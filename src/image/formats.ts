/** The list of image formats. A new one is a line here. */
import { GuestfsError } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import type { ImageFormat } from './format.js';
import { parallels } from './parallels/index.js';
import { qcow } from './qcow/index.js';
import { qcow2 } from './qcow2/index.js';
import { qed } from './qed/index.js';
import { raw } from './raw.js';
import { foreignFormats } from './recognised-only.js';
import { vdi } from './vdi/index.js';
import { vhd } from './vhd/index.js';
import { vhdx } from './vhdx/index.js';
import { vmdk } from './vmdk/index.js';

/** Every named format, in the order in which they are tried; `raw` takes any other file. */
export const imageFormats: readonly ImageFormat[] = [
  qcow2,
  qcow,
  qed,
  vhd,
  vhdx,
  vmdk,
  vdi,
  parallels,
  ...foreignFormats,
  raw,
];

/** The format of a file; `raw` without any format's signature. */
export function detectFormat(file: Disk): ImageFormat {
  return imageFormats.find((format) => format.probe(file)) ?? raw;
}

/** A format by qemu's name. */
export function findFormat(name: string): ImageFormat | undefined {
  return imageFormats.find((format) => format.name === name);
}

/** As {@link findFormat}; EINVAL if there is none. */
export function getFormat(name: string): ImageFormat {
  const format = findFormat(name);
  if (!format) throw new GuestfsError('EINVAL', `there is no image format ‘${name}’`);
  return format;
}
