/** Paths and names as node:fs takes and gives them: as text, as bytes, and as `file:` URLs. */
import { decodeText, encodeText } from '../../base/index.js';

/**
 * An absolute path of the guest: a string, in which a byte that is not UTF-8 is U+DCNN; the bytes themselves; or a
 * `file:` URL.
 */
export type GuestPath = string | Buffer | URL;

/** A Buffer with memory of its own, in the declarations of every `@types/node`. */
export type OwnBuffer = ReturnType<typeof Buffer.from>;

/** How names are given: `buffer` as bytes, else as text in that encoding. */
export type NameEncoding = BufferEncoding | 'buffer';

function wrong(code: string, message: string): TypeError {
  return Object.assign(new TypeError(message), { code });
}

/** The bytes that a `file:` URL stands for. Its path is the guest's, so the rules of this host do not matter. */
function bytesOfUrl({ protocol, host, pathname }: URL): Uint8Array {
  if (protocol !== 'file:') throw wrong('ERR_INVALID_URL_SCHEME', 'the URL must be of scheme file');
  if (host !== '')
    throw wrong('ERR_INVALID_FILE_URL_HOST', `a file URL of the guest has no host, and not '${host}'`);
  if (/%2f/i.test(pathname))
    throw wrong('ERR_INVALID_FILE_URL_PATH', 'a file URL must not contain an encoded slash');
  // The rest of a URL's path is ASCII.
  const bytes = pathname.replace(/%([0-9a-f]{2})/gi, (_, digits) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, 'latin1');
}

/** A path as actions take it. Throws a TypeError with Node's `code` for what is none. */
export function textOfPath(path: GuestPath, what = 'path'): string {
  if (typeof path === 'string') return path;
  if (path instanceof Uint8Array) return decodeText(path);
  if (path instanceof URL) return decodeText(bytesOfUrl(path));
  throw wrong('ERR_INVALID_ARG_TYPE', `${what} must be a string, a Buffer or a URL`);
}

/** The encoding in the options of node:fs, which may be the encoding alone. */
export function encodingOf(
  options: { readonly encoding?: string | null | undefined } | string | null | undefined,
): NameEncoding | undefined {
  const encoding = typeof options === 'string' ? options : options?.encoding;
  if (encoding === undefined || encoding === null) return undefined;
  if (encoding !== 'buffer' && !Buffer.isEncoding(encoding))
    throw wrong('ERR_INVALID_ARG_VALUE', `encoding '${encoding}' is unknown`);
  // safe: checked
  return encoding as NameEncoding;
}

const isPlain = (encoding: NameEncoding | undefined): boolean =>
  encoding === undefined || encoding === 'utf8' || encoding === 'utf-8';

/** A name of the guest in an encoding. */
export function encodeName(name: string, encoding: NameEncoding | undefined): string | OwnBuffer {
  if (isPlain(encoding)) return name;
  const bytes = Buffer.from(encodeText(name));
  return encoding === 'buffer' ? bytes : bytes.toString(encoding);
}

/** A name in a directory, as a path. */
export const joinNames = (directory: string, name: string): string =>
  directory.endsWith('/') ? directory + name : `${directory}/${name}`;
