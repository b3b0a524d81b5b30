/** The image room's functions for images that are files of the host. */
import type { ImagePolicy } from '../../src/disk/index.js';
import {
  type OpenedImage,
  type OpenImageOptions,
  openDiskImage as openOrigin,
  readImageInfo as readInfo,
  readImageSnapshots as readSnapshots,
  readImageSummary as readSummary,
} from '../../src/image/index.js';
import { node } from '../../src/platform/index.js';
import './platform.js';

export type HostImageOptions = OpenImageOptions & { readonly policy?: ImagePolicy };

export const openImage = (path: string, { policy, ...options }: HostImageOptions = {}): OpenedImage =>
  openOrigin(node.origin(path, policy), options);

export const readImageInfo = (path: string, options?: { format?: string }) =>
  readInfo(node.origin(path), options);

export const readImageSnapshots = (path: string, options?: { format?: string }) =>
  readSnapshots(node.origin(path), options);

export const readImageSummary = (path: string) => readSummary(node.origin(path));
