/** Work on an image as a file, not on the disk in it. It is done in the engine's thread, with the limits of a call. */
import { resolve } from 'node:path';
import type {
  CallControls,
  HostPath,
  ImageCheckRequest,
  ImageResizeRequest,
  ResizedImage,
} from '../../api/index.js';
import type { ImageCheck } from '../../formats/index.js';
import { Guestfs, type GuestfsOptions } from '../guestfs.js';
import { hostTask, runHostTask } from './host-task.js';

/** How an image is checked. */
export interface CheckImageOptions extends Omit<GuestfsOptions, 'backend'>, CallControls {
  /** By qemu's name. Default: detected. */
  readonly format?: string | undefined;
  /** What is repaired before: `leaks` gives lost space back, `all` also puts right what makes the image unsafe. */
  readonly repair?: 'leaks' | 'all' | undefined;
}

/**
 * Checks the tables of an image, and repairs them first where that is asked for. Opens no other file. Errors as `launch`;
 * ENOTSUP for a format without such tables, EIO for damage that cannot be repaired, which changes nothing.
 */
export async function checkImage(image: HostPath, options: CheckImageOptions = {}): Promise<ImageCheck> {
  const { format, repair, signal, onProgress, ...rest } = options;
  const request: ImageCheckRequest = {
    image: resolve(image),
    ...(format === undefined ? {} : { format }),
    ...(repair === undefined ? {} : { repair }),
  };
  const controls = { signal, onProgress };
  return await runHostTask(new Guestfs({ ...rest, backend: 'embedded' }), controls, (g) =>
    g[hostTask]('internal_check_image', request, controls),
  );
}

/** How an image is resized. */
export interface ResizeImageOptions extends Omit<GuestfsOptions, 'backend'>, CallControls {
  /** By qemu's name. Default: detected. */
  readonly format?: string | undefined;
  /** Allows a smaller size: what lies behind it is lost. */
  readonly shrink?: boolean | undefined;
}

/**
 * Makes the disk in an image another size: a number of bytes, or a change of so many, which may be below zero. EINVAL
 * where it would become smaller without `shrink`; otherwise errors as `launch`.
 */
export async function resizeImage(
  image: HostPath,
  size: number | { readonly changeInBytes: number },
  options: ResizeImageOptions = {},
): Promise<ResizedImage> {
  const { format, shrink = false, signal, onProgress, ...rest } = options;
  const bytes = typeof size === 'number' ? size : size.changeInBytes;
  if (!Number.isSafeInteger(bytes) || (typeof size === 'number' && bytes < 0))
    throw new RangeError(`resizeImage: the size must be a whole number of bytes, not ${bytes}`);
  const request: ImageResizeRequest = {
    image: resolve(image),
    size: typeof size === 'number' ? { bytes } : size,
    shrink,
    ...(format === undefined ? {} : { format }),
  };
  const controls = { signal, onProgress };
  return await runHostTask(new Guestfs({ ...rest, backend: 'embedded' }), controls, (g) =>
    g[hostTask]('internal_resize_image', request, controls),
  );
}
