/**
 * Checks uploads that would break the daemon. guestfsd 1.48 to 1.61 refuses some calls without taking the chunks that
 * follow, and then reads these chunks as its next call. Such calls are refused here, before they are sent.
 */
import type { ActionName } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import type { Composites } from './call.js';

/** The compressions that the daemon unpacks. */
const compressions: readonly string[] = ['compress', 'gzip', 'bzip2', 'xz', 'lzop'];

export const uploadActions = {
  upload_offset: async (call, filename, path, offset) => {
    if (offset < 0) throw new GuestfsError('EINVAL', `${path}: the offset ${offset} is negative`);
    await call.daemon('upload_offset', [filename, path, offset]);
  },
  tar_in: async (call, tarfile, directory, options) => {
    const { compress } = options;
    if (compress !== undefined && !compressions.includes(compress))
      throw new GuestfsError(
        'EINVAL',
        `unknown compression type: ${compress}: there are ${compressions.join(', ')}`,
      );
    await call.daemon('tar_in', [tarfile, directory], options);
  },
} satisfies Partial<Composites<ActionName>>;
