/** The image room: files of disk images in, guests' disks out. */
export type {
  ImageContext,
  ImageFormat,
  ImageInfo,
  ImagePolicy,
  ImageSnapshot,
} from './format.js';
export { detectFormat, findFormat, imageFormats } from './formats.js';
export {
  type ChainLink,
  type OpenedImage,
  type OpenImageOptions,
  openImage,
  readImageInfo,
} from './open.js';
