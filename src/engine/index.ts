/** The engine room: the embedded backend, and what can be said of an image file without launching it. */
import { systemError } from '../base/index.js';
import { FileDisk, findHostFile } from '../disk/index.js';
import {
  type ChainLink,
  detectFormat,
  type ImageInfo,
  type ImagePolicy,
  type ImageSummary,
  imageFormats,
  openImage,
  readImageInfo,
  readImageSummary,
} from '../image/index.js';

export type { ChainLink, ImageInfo, ImageSnapshot, ImageSummary } from '../image/index.js';
export { startEngine } from './client.js';
export { createImage, type NewImageOptions } from './create-image.js';
export { needsAppliance } from './features.js';

/** What a host file's header says of its format, size and backing file. Opens no other file. Errors as the host's. */
export async function imageInfo(path: string, format?: string): Promise<ImageInfo> {
  return readImageInfo(path, format === undefined ? {} : { format });
}

/** A host file's format by qemu's name, also of those that cannot be opened here. Opens no other file. Errors as the host's. */
export async function imageFormat(path: string): Promise<string> {
  const file = new FileDisk(path);
  try {
    return detectFormat(file).name;
  } finally {
    file.close();
  }
}

/** As {@link imageInfo}, but of every format whose header tells as much, also of those that cannot be opened. */
export async function imageSummary(path: string): Promise<ImageSummary> {
  return readImageSummary(path);
}

/** The headers of an image and of every image below it, as far as the policy lets them be opened. Errors as `launch`. */
export async function imageChain(
  path: string,
  options: { readonly format?: string; readonly policy?: ImagePolicy } = {},
): Promise<readonly ChainLink[]> {
  const { disk, chain } = openImage(path, options);
  disk.close();
  return chain;
}

/** The image formats that can be opened, by qemu's names. */
export const imageFormatNames: readonly string[] = imageFormats.map(({ name }) => name);

/** Throws the host's error (ENOENT, EACCES, …) unless a host file can be read as a disk image. */
export function checkHostImage(path: string): void {
  new FileDisk(path).close();
}

/** A directory of the host without links. Throws ENOENT, ENOTDIR, EACCES. */
export function resolveHostDirectory(path: string): string {
  const { realPath, kind } = findHostFile(path);
  if (kind !== 'directory') throw systemError('ENOTDIR', path);
  return realPath;
}
