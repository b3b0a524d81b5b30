/** Resolves paths of the host without opening the file. Names that are not UTF-8 keep their bytes. */
import { realpathSync, statSync } from 'node:fs';
import { decodeText, encodeText, hostError } from '../../base/index.js';

/** The file that a path leads to, with every symbolic link followed. */
export interface HostFile {
  /** Absolute, without links. */
  readonly realPath: string;
  readonly kind: 'file' | 'directory' | 'block device' | 'other';
  /** Equal for two paths of one file. */
  readonly identity: string;
}

/** Identifies the file among all others of the host while it exists. */
export const identityOf = ({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string =>
  `${dev}:${ino}`;

/** A path as bytes, which Node's functions accept: a string with escapes of `decodeText` would be encoded wrongly. */
export function toHostPath(path: string): Buffer {
  return Buffer.from(encodeText(path));
}

/** The identity of what a path leads to, which may be an open file without a name: `/proc/self/fd/3`. */
export function identityAt(path: string): string {
  try {
    return identityOf(statSync(toHostPath(path), { bigint: true }));
  } catch (thrown) {
    throw hostError(path, thrown);
  }
}

/** Follows a path. Throws ENOENT, EACCES, ELOOP, … as the host does. */
export function findHostFile(path: string): HostFile {
  try {
    const real = realpathSync.native(toHostPath(path), { encoding: 'buffer' }) as unknown as Uint8Array; // safe: so asked
    const stats = statSync(Buffer.from(real), { bigint: true });
    return {
      realPath: decodeText(real),
      kind: stats.isFile()
        ? 'file'
        : stats.isDirectory()
          ? 'directory'
          : stats.isBlockDevice()
            ? 'block device'
            : 'other',
      identity: identityOf(stats),
    };
  } catch (thrown) {
    throw hostError(path, thrown);
  }
}
