/**
 * The files of a guest in the shape of `fs.promises` of Node, for programs and libraries that are written for it. Every
 * method is made of actions of the handle, so that events, traces and the order of calls are theirs.
 */
import { type ActionMethods, type CallControls, type TreeListing, typeOfLetter } from '../../api/index.js';
import { compareBytewise, GuestfsError, type ModeType, systemError, typeOfMode } from '../../base/index.js';
import { asSyscall } from './guest-fs-error.js';
import {
  encodeName,
  encodingOf,
  type GuestPath,
  joinNames,
  type NameEncoding,
  type OwnBuffer,
  textOfPath,
} from './guest-path.js';
import { GuestDir, type PageSource } from './pages.js';
import { GuestBigIntStats, GuestDirent, GuestStats } from './stats.js';

/** What the facade is made of. */
interface FsActions
  extends PageSource,
    Pick<
      ActionMethods,
      | 'chmod'
      | 'exists'
      | 'getUmask'
      | 'ls'
      | 'lnS'
      | 'lstatns'
      | 'lstatnslist'
      | 'mkdirMode'
      | 'mkdirP'
      | 'readFile'
      | 'readdir'
      | 'readlink'
      | 'realpath'
      | 'rename'
      | 'rm'
      | 'rmRf'
      | 'rmdir'
      | 'statns'
      | 'statvfs'
      | 'upload'
      | 'write'
      | 'writeAppend'
    > {
  walk(directory: string, controls?: CallControls): Promise<TreeListing>;
}

/** Options of `readFile`. */
export interface GuestReadFileOptions {
  readonly encoding?: BufferEncoding | null | undefined;
  /** Files are opened for reading: `r`. */
  readonly flag?: 'r' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of `readdir`. */
export interface GuestReaddirOptions {
  /** `buffer` gives names as bytes; the default is text, in which a byte that is not UTF-8 is U+DCNN. */
  readonly encoding?: NameEncoding | null | undefined;
  /** Whether entries are {@link GuestDirent}s instead of names. */
  readonly withFileTypes?: boolean | undefined;
  /**
   * Whether everything below the directory is listed: names are then paths relative to it. Links are not followed;
   * mounted filesystems are entered.
   */
  readonly recursive?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of `opendir`. */
export interface GuestOpendirOptions {
  /** As of `readdir`. */
  readonly encoding?: NameEncoding | null | undefined;
  /** The name before the first entry: that of the last one of another page. It need not be there. */
  readonly after?: string | Buffer | undefined;
  /** The most entries, 1 or more; all by default. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of `stat` and `lstat`. */
export interface GuestStatOptions {
  /** Whether numbers are bigints, and times have nanoseconds. */
  readonly bigint?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of `writeFile` and `appendFile`. */
export interface GuestWriteFileOptions {
  /** Of data that are text; UTF-8 by default. */
  readonly encoding?: BufferEncoding | null | undefined;
  /** Of a file that is new, less the bits of the umask; 0o666 by default. */
  readonly mode?: number | undefined;
  /** `w` replaces a file that is there, `a` appends to it. */
  readonly flag?: 'w' | 'a' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An option of methods whose answer is a name. */
type EncodingOption<E> = { readonly encoding?: E } | E;
type FileData = string | Uint8Array | AsyncIterable<Uint8Array>;

/** An entry below a directory: its path relative to that, and its type. */
interface Found {
  readonly path: string;
  readonly type: ModeType | 'unknown';
}

/** `ST_RDONLY` of statvfs(3). */
const readonlyFlag = 1;

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): OwnBuffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength); // safe: results are in memory of their own

const inOrder = <T>(found: T[], nameOf: (each: T) => string): T[] =>
  found.sort((a, b) => compareBytewise(nameOf(a), nameOf(b)));

/**
 * The files of a guest, as `fs.promises` has those of the host. Paths are absolute paths of the guest. Failures are
 * {@link GuestFsError}s, with `code`, `syscall` and `path`. What writes needs a handle whose backend writes.
 *
 * An object of this class is also what libraries with an `fs` of the form `{ promises }` take.
 */
export class GuestFs {
  static {
    Object.defineProperty(GuestFs, 'name', { value: 'GuestFs' });
  }

  readonly #g: FsActions;
  /** The modes of `access`. */
  readonly constants = { F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4 } as const;
  /** This object: for libraries that look for `fs.promises`. */
  readonly promises: GuestFs;

  /** @internal */
  constructor(g: FsActions) {
    this.#g = g;
    this.promises = this;
  }

  /** The contents of a file: a Buffer, or text if there is an encoding. EFBIG above 512 MiB. */
  readFile(
    path: GuestPath,
    options?: GuestReadFileOptions & { readonly encoding?: null | undefined },
  ): Promise<OwnBuffer>;
  readFile(
    path: GuestPath,
    options: BufferEncoding | (GuestReadFileOptions & { readonly encoding: BufferEncoding }),
  ): Promise<string>;
  readFile(
    path: GuestPath,
    options?: BufferEncoding | GuestReadFileOptions | null,
  ): Promise<string | OwnBuffer>;
  async readFile(
    path: GuestPath,
    options?: BufferEncoding | GuestReadFileOptions | null,
  ): Promise<string | OwnBuffer> {
    const text = textOfPath(path);
    const encoding = encodingOf(options);
    const controls = controlsOf(options);
    if (typeof options === 'object' && options !== null && (options.flag ?? 'r') !== 'r')
      throw new TypeError(`readFile: flag must be 'r', not '${options.flag}'`);
    const bytes = bufferOf(
      await asSyscall('open', text, () => this.#contents(text, controls), { EISDIR: 'read' }),
    );
    return encoding === undefined || encoding === 'buffer' ? bytes : bytes.toString(encoding);
  }

  /** guestfsd waits for ever at a pipe, and does not say that a directory is one: so files are looked at before. */
  async #contents(path: string, controls: CallControls): Promise<Uint8Array> {
    const type = typeOfMode((await this.#g.statns(path, controls)).stMode);
    if (type === 'directory') throw systemError('EISDIR', path);
    if (type !== 'file') throw new GuestfsError('EINVAL', `${path}: is a ${type}, not a regular file`);
    return await this.#g.readFile(path, controls);
  }

  /** The facts of a file, links followed. */
  stat(
    path: GuestPath,
    options?: GuestStatOptions & { readonly bigint?: false | undefined },
  ): Promise<GuestStats>;
  stat(path: GuestPath, options: GuestStatOptions & { readonly bigint: true }): Promise<GuestBigIntStats>;
  stat(path: GuestPath, options?: GuestStatOptions): Promise<GuestStats | GuestBigIntStats>;
  async stat(path: GuestPath, options?: GuestStatOptions): Promise<GuestStats | GuestBigIntStats> {
    const text = textOfPath(path);
    const stat = await asSyscall('stat', text, () => this.#g.statns(text, controlsOf(options)));
    return options?.bigint === true ? new GuestBigIntStats(stat) : new GuestStats(stat);
  }

  /** The facts of a file; of a link, its own. */
  lstat(
    path: GuestPath,
    options?: GuestStatOptions & { readonly bigint?: false | undefined },
  ): Promise<GuestStats>;
  lstat(path: GuestPath, options: GuestStatOptions & { readonly bigint: true }): Promise<GuestBigIntStats>;
  lstat(path: GuestPath, options?: GuestStatOptions): Promise<GuestStats | GuestBigIntStats>;
  async lstat(path: GuestPath, options?: GuestStatOptions): Promise<GuestStats | GuestBigIntStats> {
    const text = textOfPath(path);
    const stat = await asSyscall('lstat', text, () => this.#g.lstatns(text, controlsOf(options)));
    return options?.bigint === true ? new GuestBigIntStats(stat) : new GuestStats(stat);
  }

  /**
   * What is in a directory, sorted by the bytes of the names, without `.` and `..`. Damaged entries are left out, and a
   * `warning` event marked `partial` reports them. For directories of millions of entries there is `opendir`.
   */
  readdir(
    path: GuestPath,
    options:
      | {
          readonly encoding: 'buffer';
          readonly withFileTypes?: false | undefined;
          readonly recursive?: boolean | undefined;
        }
      | 'buffer',
  ): Promise<OwnBuffer[]>;
  readdir(
    path: GuestPath,
    options: {
      readonly encoding: 'buffer';
      readonly withFileTypes: true;
      readonly recursive?: boolean | undefined;
    },
  ): Promise<GuestDirent<OwnBuffer>[]>;
  readdir(
    path: GuestPath,
    options: {
      readonly encoding?: BufferEncoding | null | undefined;
      readonly withFileTypes: true;
      readonly recursive?: boolean | undefined;
    },
  ): Promise<GuestDirent[]>;
  readdir(
    path: GuestPath,
    options?:
      | {
          readonly encoding?: BufferEncoding | null | undefined;
          readonly withFileTypes?: false | undefined;
          readonly recursive?: boolean | undefined;
        }
      | BufferEncoding
      | null,
  ): Promise<string[]>;
  readdir(
    path: GuestPath,
    options?: GuestReaddirOptions | NameEncoding | null,
  ): Promise<string[] | OwnBuffer[] | GuestDirent[] | GuestDirent<OwnBuffer>[]>;
  async readdir(
    path: GuestPath,
    options?: GuestReaddirOptions | NameEncoding | null,
  ): Promise<string[] | OwnBuffer[] | GuestDirent[] | GuestDirent<OwnBuffer>[]> {
    const directory = textOfPath(path);
    const encoding = encodingOf(options);
    const controls = controlsOf(options);
    const { withFileTypes = false, recursive = false } = typeof options === 'object' ? (options ?? {}) : {};
    return await asSyscall('scandir', directory, async () => {
      if (!withFileTypes && !recursive)
        // safe: an encoding is the same for all
        return (await this.#g.ls(directory, controls)).map((name) => encodeName(name, encoding)) as string[];
      const found = recursive
        ? await this.#below(directory, controls)
        : await this.#entries(directory, controls);
      // safe: an encoding is the same for all
      if (!withFileTypes) return found.map((each) => encodeName(each.path, encoding)) as string[];
      return found.map((each) => direntOf(directory, each, encoding)) as GuestDirent[];
    });
  }

  /** The entries of a directory with their types, which are read from the files where the directory does not tell. */
  async #entries(directory: string, controls: CallControls): Promise<Found[]> {
    const entries = (await this.#g.readdir(directory, controls)).filter(
      ({ name }) => name !== '.' && name !== '..',
    );
    const untold = entries.filter(({ ftyp }) => typeOfLetter(ftyp) === 'unknown').map(({ name }) => name);
    const stats = untold.length === 0 ? [] : await this.#g.lstatnslist(directory, untold, controls);
    const types = new Map(untold.map((name, index) => [name, typeOfMode(stats[index]?.stMode ?? 0)]));
    const found = entries.map(({ name, ftyp }) => ({
      path: name,
      type: types.get(name) ?? typeOfLetter(ftyp),
    }));
    return inOrder(found, (each) => each.path);
  }

  async #below(directory: string, controls: CallControls): Promise<Found[]> {
    const { count, paths, columns } = await this.#g.walk(directory, controls);
    const found = paths
      .split('\0', count)
      .map((path, index) => ({ path, type: typeOfMode(columns.mode[index] ?? 0) }));
    return inOrder(found, (each) => each.path);
  }

  /**
   * The entries of a directory one after another, in the order of the bytes of their names, which is the same on every
   * backend. A directory of a million entries is never in memory as a whole; with `after` and `limit` it is told in
   * pages. RangeError for a `limit` that is no whole number above 0.
   */
  opendir(
    path: GuestPath,
    options: GuestOpendirOptions & { readonly encoding: 'buffer' },
  ): Promise<GuestDir<OwnBuffer>>;
  opendir(
    path: GuestPath,
    options?: GuestOpendirOptions & { readonly encoding?: BufferEncoding | null | undefined },
  ): Promise<GuestDir>;
  async opendir(path: GuestPath, options: GuestOpendirOptions = {}): Promise<GuestDir | GuestDir<OwnBuffer>> {
    const { after = '', limit = Number.MAX_SAFE_INTEGER, signal } = options;
    if (!(Number.isInteger(limit) && limit >= 1))
      throw new RangeError(`opendir: limit must be a whole number above 0, not ${limit}`);
    const encoding = encodingOf(options);
    const directory = new GuestDir(this.#g, textOfPath(path), {
      encoding,
      after: textOfPath(after, 'after'),
      limit,
      signal,
    });
    await directory.readPage();
    return directory;
  }

  /** The target of a symbolic link, as it stands in the link. */
  readlink(path: GuestPath, options?: EncodingOption<BufferEncoding | null | undefined>): Promise<string>;
  readlink(path: GuestPath, options: EncodingOption<'buffer'>): Promise<OwnBuffer>;
  readlink(path: GuestPath, options?: EncodingOption<string | null | undefined>): Promise<string | OwnBuffer>;
  async readlink(
    path: GuestPath,
    options?: EncodingOption<string | null | undefined>,
  ): Promise<string | OwnBuffer> {
    const text = textOfPath(path);
    const encoding = encodingOf(options);
    return encodeName(await asSyscall('readlink', text, () => this.#g.readlink(text)), encoding);
  }

  /** The path of a file without links, `.` and `..`. No link leads out of the guest. */
  realpath(path: GuestPath, options?: EncodingOption<BufferEncoding | null | undefined>): Promise<string>;
  realpath(path: GuestPath, options: EncodingOption<'buffer'>): Promise<OwnBuffer>;
  realpath(path: GuestPath, options?: EncodingOption<string | null | undefined>): Promise<string | OwnBuffer>;
  async realpath(
    path: GuestPath,
    options?: EncodingOption<string | null | undefined>,
  ): Promise<string | OwnBuffer> {
    const text = textOfPath(path);
    const encoding = encodingOf(options);
    return encodeName(await asSyscall('realpath', text, () => this.#g.realpath(text)), encoding);
  }

  /**
   * Resolves if the file is there and root may do what `mode` says: ENOENT, ENOTDIR and ELOOP if there is none, EROFS
   * for `W_OK` where the filesystem is mounted read-only, EACCES for `X_OK` where nobody may execute the file.
   */
  async access(path: GuestPath, mode = 0): Promise<void> {
    const text = textOfPath(path);
    await asSyscall('access', text, async () => {
      const { stMode } = await this.#g.statns(text);
      const type = typeOfMode(stMode);
      if ((mode & this.constants.W_OK) !== 0 && (type === 'file' || type === 'directory')) {
        const { flag } = await this.#g.statvfs(text);
        if ((flag & readonlyFlag) !== 0) throw systemError('EROFS', text);
      }
      if ((mode & this.constants.X_OK) !== 0 && type !== 'directory' && (stMode & 0o111) === 0)
        throw systemError('EACCES', text);
    });
  }

  /** Whether a path leads to a file, links followed. Rejects where that cannot be read. */
  async exists(path: GuestPath): Promise<boolean> {
    try {
      await this.access(path);
      return true;
    } catch (thrown) {
      const { code } = thrown as { code?: unknown };
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG')
        return false;
      throw thrown;
    }
  }

  /** Writes a file, which is made if it is missing. */
  async writeFile(
    path: GuestPath,
    data: FileData,
    options?: GuestWriteFileOptions | BufferEncoding | null,
  ): Promise<void> {
    const text = textOfPath(path);
    const encoding = encodingOf(options);
    const controls = controlsOf(options);
    const { mode, flag = 'w' } = typeof options === 'object' ? (options ?? {}) : {};
    if (flag !== 'w' && flag !== 'a')
      throw new TypeError(`writeFile: flag must be 'w' or 'a', not '${flag}'`);
    await asSyscall('open', text, async () => {
      const isNew = mode !== undefined && !(await this.#g.exists(text, controls));
      if (flag === 'a') await this.#g.writeAppend(text, await bytesOf(data, encoding), controls);
      else if (typeof data === 'string' || data instanceof Uint8Array)
        await this.#g.write(text, await bytesOf(data, encoding), controls);
      else await this.#g.upload(data, text, controls);
      if (isNew) await this.#g.chmod(mode & ~(await this.#g.getUmask(controls)), text, controls);
    });
  }

  /** Appends to a file, which is made if it is missing. */
  async appendFile(
    path: GuestPath,
    data: FileData,
    options?: GuestWriteFileOptions | BufferEncoding | null,
  ): Promise<void> {
    const given = typeof options === 'string' ? { encoding: options } : (options ?? {});
    await this.writeFile(path, data, { ...given, flag: 'a' });
  }

  /** Makes a directory; with `recursive` all that are missing, and then gives the path of the first one made. */
  async mkdir(
    path: GuestPath,
    options?:
      | { readonly recursive?: boolean | undefined; readonly mode?: number | undefined }
      | number
      | null,
  ): Promise<string | undefined> {
    const text = textOfPath(path);
    const { recursive = false, mode = 0o777 } =
      typeof options === 'number' ? { mode: options } : (options ?? {});
    return await asSyscall('mkdir', text, async () => {
      if (!recursive) return void (await this.#g.mkdirMode(text, mode));
      const names = text.split('/').filter((name) => name !== '');
      let first: string | undefined;
      for (let count = names.length; count > 0; count--) {
        const above = `/${names.slice(0, count).join('/')}`;
        if (await this.#g.exists(above)) break;
        first = above;
      }
      await this.#g.mkdirP(text);
      return first;
    });
  }

  /** Removes an empty directory. */
  async rmdir(path: GuestPath): Promise<void> {
    const text = textOfPath(path);
    await asSyscall('rmdir', text, () => this.#g.rmdir(text));
  }

  /** Removes a file that is no directory. */
  async unlink(path: GuestPath): Promise<void> {
    const text = textOfPath(path);
    await asSyscall('unlink', text, () => this.#g.rm(text));
  }

  /** Removes a file; with `recursive` also directories and all in them; with `force` it may be missing. */
  async rm(
    path: GuestPath,
    {
      recursive = false,
      force = false,
    }: { readonly recursive?: boolean | undefined; readonly force?: boolean | undefined } = {},
  ): Promise<void> {
    const text = textOfPath(path);
    if (force && !(await this.#g.exists(text))) return;
    const { stMode } = await asSyscall('lstat', text, () => this.#g.lstatns(text));
    await asSyscall('rm', text, async () => {
      if (recursive) await this.#g.rmRf(text);
      else if (typeOfMode(stMode) === 'directory') throw systemError('EISDIR', text);
      else await this.#g.rm(text);
    });
  }

  /** Gives a file another path, within its filesystem. */
  async rename(from: GuestPath, to: GuestPath): Promise<void> {
    const text = textOfPath(from);
    await asSyscall('rename', text, () => this.#g.rename(text, textOfPath(to)));
  }

  /** Makes a symbolic link at `path` with this target. */
  async symlink(target: GuestPath, path: GuestPath): Promise<void> {
    const text = textOfPath(path);
    await asSyscall('symlink', text, () => this.#g.lnS(textOfPath(target, 'target'), text));
  }

  /** Sets the permissions of a file, links followed. */
  async chmod(path: GuestPath, mode: number): Promise<void> {
    const text = textOfPath(path);
    await asSyscall('chmod', text, () => this.#g.chmod(mode, text));
  }
}

/** The signal in the options of node:fs. */
function controlsOf(
  options: { readonly signal?: AbortSignal | undefined } | string | null | undefined,
): CallControls {
  return typeof options === 'object' && options?.signal !== undefined ? { signal: options.signal } : {};
}

function direntOf(
  directory: string,
  { path, type }: Found,
  encoding: NameEncoding | undefined,
): GuestDirent | GuestDirent<OwnBuffer> {
  const slash = path.lastIndexOf('/');
  const name = encodeName(path.slice(slash + 1), encoding);
  const parent = slash < 0 ? directory : joinNames(directory, path.slice(0, slash));
  return typeof name === 'string' ? new GuestDirent(name, parent, type) : new GuestDirent(name, parent, type);
}

async function bytesOf(data: FileData, encoding: NameEncoding | undefined): Promise<Uint8Array> {
  if (typeof data === 'string') return Buffer.from(data, encoding === 'buffer' ? 'utf8' : encoding);
  if (data instanceof Uint8Array) return data;
  const pieces: Uint8Array[] = [];
  for await (const piece of data) pieces.push(piece);
  return Buffer.concat(pieces);
}
