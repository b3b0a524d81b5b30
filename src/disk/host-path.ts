/** Paths of the host: what they lead to, without opening it. Names that are no UTF-8 keep their bytes. */
import { realpathSync, statSync } from 'node:fs';
import { decodeText, encodeText, hostError } from '../base/index.js';

/** What a path leads to once every symbolic link is followed. */
export interface HostFile {
  /** Absolute, without links. */
  readonly realPath: string;
  readonly kind: 'file' | 'directory' | 'block device' | 'other';
  /** Equal for two paths of one file. */
  readonly identity: string;
}

/** What tells a file from all others of the host while it exists. */
export const identityOf = ({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string =>
  `${dev}:${ino}`;

/** A path as bytes, which Node's functions take as well: a string with escapes of `decodeText` would lose them. */
export function toHostPath(path: string): Buffer {
  return Buffer.from(encodeText(path));
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
