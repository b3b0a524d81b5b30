/**
 * The parent of a difference that was made on Windows, by the names that the difference has for it. A parent may have
 * moved since: so each name is tried as it stands, and as the name of a file beside the difference.
 */
import { CorruptError, endsCall, GuestfsError } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import type { ImageContext } from './format.js';

/** `C:\…`, `\\server\…`, `\\?\Volume{…}\…`: places of another machine, of which only the file's name means anything. */
const absolute = /^(?:[A-Za-z]:|[\\/])/;

/** The names of this host that names of Windows may stand for, the likeliest first, each once. For tests. */
export function parentNames(names: readonly string[]): string[] {
  const found = new Set<string>();
  for (const name of names) {
    const path = name.replaceAll('\\', '/').replace(/^(?:\.\/+)+/, '');
    if (!absolute.test(name) && path !== '') found.add(path);
  }
  for (const name of names) {
    const last = name.split(/[\\/]/).at(-1) ?? '';
    // A volume of Windows alone is a name without a file.
    if (last !== '' && last !== '.' && last !== '..' && !last.includes(':')) found.add(last);
  }
  return [...found];
}

interface ParentOptions {
  /** Of this host, the likeliest first. */
  readonly names: readonly string[];
  /** Files that may be the parent, for a format that has no names. An error in another disk's file counts for nothing. */
  readonly candidates?: readonly string[];
  /** The format of parents. */
  readonly format: string;
  /** What the parent's header says its identity is. */
  readonly expected: string;
  /** Whether an identity is the parent's; default: the expected one alone. */
  isParent?(identity: string): boolean;
  /** Whether an identity is the parent's, perhaps in another state; of candidates. */
  isSameDisk?(identity: string): boolean;
  /** The child for messages: `VHD image`. */
  readonly child: string;
}

/**
 * Opens the first file of these names that is the parent. Where none is, the error is of the first file that is there,
 * and otherwise tells all names.
 */
export function openParent(context: ImageContext, options: ParentOptions): Disk {
  const { names, candidates = [], format, expected, child } = options;
  const { isParent = (identity: string) => identity === expected, isSameDisk = isParent } = options;
  let missing: GuestfsError | undefined;
  let failure: unknown;
  for (const [index, name] of [...names, ...candidates].entries()) {
    let counts = index < names.length;
    try {
      return context.openNamed(name, 'backing', format, ({ identity = 'none' }) => {
        if (isSameDisk(identity)) counts = true;
        if (isParent(identity)) return;
        throw new CorruptError(child, `is not over this state of its parent ‘${name}’`, {
          expected,
          found: identity,
        });
      });
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError) || endsCall(thrown)) throw thrown;
      if (thrown.code === 'ENOENT' && index < names.length) missing ??= thrown;
      else if (counts) failure ??= thrown;
    }
  }
  if (failure !== undefined) throw failure;
  if (missing === undefined) {
    throw new CorruptError(child, 'does not name its parent', { parent: expected });
  }
  const others = names.slice(1).map((name) => `‘${name}’`);
  if (candidates.length > 0) others.push(`${candidates.length} files near it`);
  throw new GuestfsError('ENOENT', missing.bareMessage, {
    cause: missing,
    ...(others.length > 0 ? { remark: `looked at, too: ${others.join(', ')}` } : {}),
  });
}
