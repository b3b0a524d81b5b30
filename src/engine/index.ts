/**
 * The engine room: the embedded backend, and facts about image files without launching it.
 * The latter run in the caller's thread, so a strange image must not take much time or memory: only headers are read,
 * by readers with a bound that does not depend on the contents (`ImageFormat.info`), for at most 200 images of a
 * chain. Anything longer is done by the worker, or in steps that let the caller's other work continue.
 */
import { describeErrno, HostError, monotonicTime } from '../base/index.js';
import { findHostFile } from '../disk/host/index.js';
import type { ImagePolicy } from '../disk/index.js';
import {
  type ChainLink,
  detectFormat,
  type ImageContainer,
  type ImageFormat,
  type ImageInfo,
  type ImageSnapshot,
  type ImageSummary,
  imageFormats,
  isReadable,
  openDiskImage,
  readImageContainer,
  readImageInfo,
  readImageSnapshots,
  readImageSummary,
} from '../image/index.js';
import { node } from '../platform/index.js';

export type { ChainLink, ImageContainer, ImageInfo, ImageSnapshot, ImageSummary } from '../image/index.js';
export { createImage } from './host/create-image.js';
export { type LayerFiles, makeLayerFiles } from './host/layer-files.js';
export { startEngine } from './thread/client.js';
export { prepareThread } from './thread/thread.js';

/** The format, size and backing file in a host file's header. Opens no other file. Errors as the host's. */
export async function imageInfo(path: string, format?: string): Promise<ImageInfo> {
  return readImageInfo(node.origin(path), format === undefined ? {} : { format });
}

/**
 * A host file's format by qemu's name, including formats that cannot be opened here. Opens no other file. Errors as
 * the host's.
 */
export async function imageFormat(path: string): Promise<string> {
  const file = node.origin(path).open({ writable: false });
  try {
    return detectFormat(file).name;
  } finally {
    file.close();
  }
}

/** As {@link imageInfo}, for every format whose header has these facts, including those that cannot be opened. */
export async function imageSummary(path: string): Promise<ImageSummary> {
  return readImageSummary(node.origin(path));
}

/** How long the caller's thread may be blocked at a time, in milliseconds. */
const stepInMs = 5;

/**
 * The internal snapshots of an image, in the order of its table; none in formats without snapshots. Each is read on
 * demand, so a loop that ends early reads no more. Opens no other file. Errors as the host's; CorruptError for a
 * damaged table.
 */
export async function* imageSnapshots(path: string, format?: string): AsyncGenerator<ImageSnapshot, void> {
  let began = monotonicTime();
  for (const snapshot of readImageSnapshots(node.origin(path), format === undefined ? {} : { format })) {
    if (monotonicTime() - began > stepInMs) {
      await new Promise((resolve) => setImmediate(resolve));
      began = monotonicTime();
    }
    yield snapshot;
  }
}

/**
 * What an image lies in: a compressed file, or an archive (OVA, tar) with its disks by the names that `add_drive` takes
 * as `member`. Undefined for a plain image. Nothing is unpacked, so that a compressed archive has no members here. Errors
 * as the host's.
 */
export async function imageContainer(path: string): Promise<ImageContainer | undefined> {
  return readImageContainer(node.origin(path));
}

/** The headers of an image and of every image below it, as far as the policy allows. Errors as `launch`. */
export async function imageChain(
  path: string,
  {
    policy,
    ...options
  }: { readonly format?: string; readonly member?: string; readonly policy?: ImagePolicy } = {},
): Promise<readonly ChainLink[]> {
  const { disk, chain } = openDiskImage(node.origin(path, policy), options);
  disk.close();
  return chain;
}

const names = (formats: readonly ImageFormat[]): readonly string[] => formats.map(({ name }) => name);

/** The image formats by qemu's names: those that can be opened, and those that are only recognised. */
export const imageFormatNames = {
  readable: names(imageFormats.filter((format) => isReadable(format))),
  recognised: names(imageFormats.filter((format) => !isReadable(format))),
};

/** Throws the host's error (ENOENT, EACCES, …) unless a host file can be read as a disk image. */
export function checkHostImage(path: string): void {
  node.origin(path).open({ writable: false }).close();
}

/** The real path of a host directory. Throws ENOENT, ENOTDIR, EACCES. */
export function resolveHostDirectory(path: string): string {
  const { realPath, kind } = findHostFile(path);
  if (kind !== 'directory') throw new HostError('ENOTDIR', `${path}: ${describeErrno('ENOTDIR')}`, { path });
  return realPath;
}
