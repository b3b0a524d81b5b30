/** The failures of the facade in the form of node:fs: `ENOENT: no such file or directory, open '/x'`. */
import {
  CorruptError,
  describeErrno,
  type ErrnoName,
  GuestfsError,
  systemError,
  UnsupportedError,
} from '../../base/index.js';

/** Codes that say everything; messages about all others have reasons of their own. */
const plainCodes = new Set<ErrnoName>([
  'EACCES',
  'EEXIST',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOTDIR',
  'ENOTEMPTY',
  'EROFS',
]);

/** Why, without the path, which stands at the end. */
function reasonOf(cause: GuestfsError, path: string): string {
  const isTold = cause instanceof CorruptError || cause instanceof UnsupportedError;
  if (!isTold && plainCodes.has(cause.code)) return describeErrno(cause.code);
  const { bareMessage } = cause;
  return bareMessage.startsWith(`${path}: `) ? bareMessage.slice(path.length + 2) : bareMessage;
}

/**
 * A failure of `g.fs`. It has what errors of node:fs have: `code`, a negative `errno`, `syscall` and `path`; the
 * failure of the action behind it is the `cause`.
 */
export class GuestFsError extends GuestfsError {
  static {
    Object.defineProperty(GuestFsError, 'name', { value: 'GuestFsError' });
  }

  override name = 'GuestFsError';
  /** What node:fs would have called: `open`, `lstat`, `scandir`, … */
  readonly syscall: string;
  /** The path as it was given, as text. */
  override readonly path: string;

  constructor(cause: GuestfsError, syscall: string, path: string) {
    super(cause.code, `${cause.code}: ${reasonOf(cause, path)}, ${syscall} '${path}'`, { cause });
    this.syscall = syscall;
    this.path = path;
  }

  /** The Linux number of `code`, negative as in node:fs. */
  override get errno(): number {
    return -super.errno;
  }
}

/**
 * The result of `work`. Its failure gets Node's form, except that of a cancelled call. `others`: the call that Node
 * would have made instead, by the code of its failure.
 */
export async function asSyscall<T>(
  syscall: string,
  path: string,
  work: () => Promise<T>,
  others: { readonly [Code in ErrnoName]?: string } = {},
): Promise<T> {
  try {
    if (path === '') throw systemError('ENOENT', path);
    if (!path.startsWith('/')) throw new GuestfsError('EINVAL', 'a path of the guest begins with a slash');
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown instanceof GuestFsError || thrown.code === 'ECANCELED')
      throw thrown;
    throw new GuestFsError(thrown, others[thrown.code] ?? syscall, path);
  }
}
