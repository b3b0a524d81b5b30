/** The image room: files of disk images in, guests' disks out. */
export { openPacked } from './container/index.js';
export type {
  ImageFormat,
  ImageInfo,
  ImageSnapshot,
} from './format.js';
export { isReadable } from './format.js';
export { detectFormat, imageFormats } from './formats.js';
export { checkDiskImage, resizeDiskImage } from './maintenance.js';
/** For tests. */
export {
  type ChainLink,
  type ImageContainer,
  type OpenedImage,
  type OpenImageOptions,
  openDiskImage,
  readImageContainer,
  readImageInfo,
  readImageSnapshots,
} from './open.js';
export { type ImageSummary, readImageSummary } from './summary.js';
