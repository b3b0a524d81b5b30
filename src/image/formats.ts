/** The list of image formats. A new one is a line here. */
import type { Disk } from '../disk/index.js';
import type { ImageFormat } from './format.js';
import { qcow2 } from './qcow2/index.js';
import { raw } from './raw.js';
import { foreignFormats } from './recognised-only.js';

/** Every format that has a name, in the order in which they are asked; `raw` takes whatever is left. */
export const imageFormats: readonly ImageFormat[] = [qcow2, ...foreignFormats, raw];

/** The format of a file; `raw` when it bears no format's mark. */
export function detectFormat(file: Disk): ImageFormat {
  return imageFormats.find((format) => format.probe(file)) ?? raw;
}

/** A format by qemu's name. */
export function findFormat(name: string): ImageFormat | undefined {
  return imageFormats.find((format) => format.name === name);
}
