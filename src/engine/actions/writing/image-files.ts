/** Image files of the host that are no drives: their tables checked and repaired, and the disk in them resized. */
import type { ImageCheckRequest, ImageResizeRequest, ResizedImage } from '../../../api/index.js';
import { GuestfsError } from '../../../base/index.js';
import { platform } from '../../../disk/index.js';
import type { ImageCheck } from '../../../formats/index.js';
import { checkDiskImage, resizeDiskImage } from '../../../image/index.js';
import type { Call } from '../../thread/call.js';

export function checkImageFile(call: Call, given: string): ImageCheck {
  const { image, ...options } = JSON.parse(given) as ImageCheckRequest; // safe: the handle's own method made it
  if (options.repair !== undefined) call.touch();
  return checkDiskImage(platform().origin(image), {
    ...options,
    warn: (message) => call.session.warn(message),
    progress: (position, total) => call.progress(position, total),
  });
}

export function resizeImageFile(call: Call, given: string): ResizedImage {
  const { image, size, ...options } = JSON.parse(given) as ImageResizeRequest; // safe: the handle's own method made it
  call.touch();
  return resizeDiskImage(
    platform().origin(image, call.session.config.policy),
    (now) => {
      const after = 'bytes' in size ? size.bytes : now + size.changeInBytes;
      if (after < 0)
        throw new GuestfsError(
          'EINVAL',
          `the disk has ${now} bytes, and ${-(after - now)} cannot be taken away`,
        );
      return after;
    },
    { ...options, warn: (message) => call.session.warn(message) },
  );
}
