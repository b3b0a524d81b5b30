/**
 * The file names in images: what they mean to qemu, and which of them the policy allows.
 *
 * To qemu, a name with a colon before its first slash is a protocol's (`nbd:…`, `json:{…}`), with which an image
 * could make its reader connect somewhere or open any file. Such names are for trusted images only, and only if they
 * mean a file.
 */
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import {
  asGuestfsError,
  CorruptError,
  GuestfsError,
  systemError,
  UnsupportedError,
} from '../../base/index.js';
import { type ImagePolicy, type NamePurpose, refusal } from '../origin.js';
import { findHostFile, type HostFile } from './path.js';

/** The image that names another file. */
interface NamingImage {
  /** The given path. Relative names are relative to it, with its links. */
  readonly path: string;
  /** The directory of the image that was opened first: as given, and without links. */
  readonly root: { readonly given: string; readonly real: string };
  readonly policy: ImagePolicy;
}

/** What a name leads to. */
interface NamedFile {
  readonly path: string;
  readonly file: HostFile;
  /** The format in a `json:` name. */
  readonly format: string | undefined;
}

/** The file of a name. Throws the host's error, with the name and the image that has it. */
function find(path: string, what: string): HostFile {
  try {
    return findHostFile(path);
  } catch (thrown) {
    throw asGuestfsError(thrown).within(what);
  }
}

/** Finds the file that an image names. EPERM if the policy forbids it; nothing is opened. */
export function resolveName(name: string, purpose: NamePurpose, image: NamingImage): NamedFile {
  const what = `${purpose} file ‘${name}’ of ${image.path}`;
  if (name === '' || name.includes('\0')) {
    throw new CorruptError('image header', `has an impossible name for its ${purpose} file`);
  }
  const named =
    image.policy === 'trusted' ? resolveTrusted(name, what, image) : resolveUntrusted(name, what, image);
  const { kind } = named.file;
  if (kind === 'directory') throw systemError('EISDIR', what);
  if (kind === 'other') throw new GuestfsError('EINVAL', `${what}: neither a file nor a block device`);
  if (kind !== 'file' && image.policy !== 'trusted') throw refusal(what, `it is a ${kind}`);
  return named;
}

/** The part before the colon, if qemu takes it for a protocol. */
function protocolOf(name: string): string | undefined {
  return /^([^/:]*):/.exec(name)?.[1];
}

function resolveUntrusted(name: string, what: string, image: NamingImage): NamedFile {
  const protocol = protocolOf(name);
  if (protocol !== undefined) throw refusal(what, `it is a name of the protocol ‘${protocol}:’`);
  const { given, real } = image.root;
  const outside = () => refusal(what, `it lies outside ${given}, the directory of the image`);
  // First by its text alone, so that an image cannot even test which files exist elsewhere; then with links followed.
  const path = resolve(dirname(image.path), name);
  if (!liesInside(given, path) && !liesInside(real, path)) throw outside();
  const file = find(path, what);
  if (!liesInside(real, file.realPath)) throw outside();
  return { path, file, format: undefined };
}

function liesInside(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** As in qemu: a plain name is relative to the image, one with a protocol to the working directory. */
function resolveTrusted(name: string, what: string, image: NamingImage): NamedFile {
  const protocol = protocolOf(name);
  let path = name;
  let format: string | undefined;
  if (protocol === 'json') ({ path, format } = parseJsonName(name.slice(5), what));
  else if (protocol === 'file') path = name.slice(5);
  else if (protocol !== undefined) throw new UnsupportedError(what, [`the protocol ‘${protocol}:’`]);
  // Joined without normalising: as in the kernel, `link/..` is where the link leads.
  else if (!isAbsolute(name)) path = `${dirname(image.path)}${sep}${name}`;
  return { path, file: find(path, what), format };
}

/** Protocol drivers of qemu that mean a path of the host. */
const fileDrivers = new Set(['file', 'host_device']);

/** Reads `{"driver": "qcow2", "file": {"driver": "file", "filename": "x"}}`, nested or with dotted keys. */
function parseJsonName(text: string, what: string): { path: string; format: string | undefined } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new CorruptError('image header', `has a name that is no JSON: ${what}`, {}, { cause });
  }
  const options = new Map<string, string>();
  flatten(parsed, '', options, what);
  const driver = options.get('driver');
  const below = options.has('file.filename') ? 'file.' : '';
  const path = options.get(`${below}filename`);
  if (path === undefined || path === '' || path.includes('\0')) {
    throw new UnsupportedError(what, ['a JSON name without a file name']);
  }
  const fileDriver = below === '' ? driver : options.get('file.driver');
  if (below === '' && driver !== undefined && !fileDrivers.has(driver)) {
    throw new UnsupportedError(what, [`the driver ‘${driver}’ on a file name`]);
  }
  if (fileDriver !== undefined && !fileDrivers.has(fileDriver)) {
    throw new UnsupportedError(what, [`the protocol driver ‘${fileDriver}’`]);
  }
  const understood = new Set(['driver', `${below}driver`, `${below}filename`]);
  const others = [...options.keys()].filter((key) => !understood.has(key));
  if (others.length > 0) {
    throw new UnsupportedError(
      what,
      others.map((key) => `the JSON option ‘${key}’`),
    );
  }
  // A file driver at the top leaves the bytes as they are: raw.
  return { path, format: driver !== undefined && fileDrivers.has(driver) ? 'raw' : driver };
}

/** Nested objects as dotted keys, two levels deep: more means a driver that stacks files, which is not supported. */
function flatten(value: unknown, prefix: string, into: Map<string, string>, what: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UnsupportedError(what, ['a JSON name that is no object']);
  }
  for (const [key, member] of Object.entries(value)) {
    if (typeof member === 'string') into.set(prefix + key, member);
    else if (prefix === '' && typeof member === 'object') flatten(member, `${key}.`, into, what);
    else throw new UnsupportedError(what, [`the JSON option ‘${prefix}${key}’`]);
  }
}
