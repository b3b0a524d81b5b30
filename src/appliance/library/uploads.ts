/**
 * Uploads that the daemon would not survive. It refuses some without taking the chunks that follow the call, and then reads
 * these as its next one: here they are refused before it hears of them. guestfsd 1.48 to 1.61.
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
