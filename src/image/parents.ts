/**
 * The parent of a difference that was made on Windows, by the names that the difference has for it. A parent may have
 * moved since: so each name is tried as it stands, and as the name of a file beside the difference.
 */
import { CorruptError, GuestfsError } from '../base/index.js';
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
  /** The format of parents. */
  readonly format: string;
  /** What the parent's header may say its identity is. */
  readonly identities: readonly string[];
  /** The child for messages: `VHD image`. */
  readonly child: string;
}

/**
 * Opens the first file of these names that is the parent. Where none is, the error is of the first file that is there,
 * and otherwise tells all names.
 */
export function openParent(context: ImageContext, { names, format, identities, child }: ParentOptions): Disk {
  let missing: GuestfsError | undefined;
  let failure: unknown;
  for (const name of names) {
    try {
      return context.openNamed(name, 'backing', format, (info) => {
        if (info.identity !== undefined && identities.includes(info.identity)) return;
        throw new CorruptError(child, `is not over this state of its parent ‘${name}’`, {
          expected: identities.join(' or '),
          found: info.identity ?? 'none',
        });
      });
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError)) throw thrown;
      if (thrown.code === 'ENOENT') missing ??= thrown;
      else failure ??= thrown;
    }
  }
  if (failure !== undefined) throw failure;
  if (missing === undefined)
    throw new CorruptError(child, 'does not name its parent', { parent: identities.join(' or ') });
  throw new GuestfsError('ENOENT', missing.bareMessage, {
    cause: missing,
    ...(names.length > 1 ? { remark: `also looked for: ${names.slice(1).join(', ')}` } : {}),
  });
}
