/**
 * The rules of copying a tree of a guest into a directory of the host. The guest chooses names and targets of links,
 * so no link of the guest is ever followed on the host: files are created new, and a directory is entered only after
 * a check that it is a directory and no link. Files that the host cannot hold are left out with a warning; the rest
 * is copied.
 */
import {
  CorruptError,
  compareBytes,
  concatBytes,
  decodeText,
  encodeText,
  GuestfsError,
  systemError,
} from '../base/index.js';
import { hostNameProblem } from './host-names.js';
import type { HostEntry, HostPathBytes, HostStep, HostSteps, OpenHostFile } from './host-steps.js';

export interface HostAttributes {
  /** Type and permissions; the type is ignored. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly accessedSeconds: number;
  readonly modifiedSeconds: number;
}

export interface HostCopyOptions {
  /** As `process.platform`. */
  readonly platform: string;
  /** Whether the process may change owners: owners are then kept. */
  readonly isRoot: boolean;
  /** Whether the guest is trusted: root then keeps set-id bits. */
  readonly keepsSetId: boolean;
  readonly warn: (message: string) => void;
  /** The name in warnings for a name below the top. */
  readonly shown: (name: string) => string;
}

/** A directory that was checked to be no link. It stays a directory, because the copy only removes other files. */
interface Directory {
  readonly path: HostPathBytes;
  /** Made by this copy, so that everything in it is the copy's too. */
  readonly isOwn: boolean;
}

type Target = { readonly path: HostPathBytes; readonly fd?: number };
type ErrorCode = GuestfsError['code'];

/** Errors of a host that cannot hold a name, or a path of this length. */
const refusesName: readonly ErrorCode[] = ['EINVAL', 'EILSEQ', 'ENAMETOOLONG'];
/** Errors for a kind of file that the filesystem lacks, or that this user may not make. */
const refusesKind: readonly ErrorCode[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];
/** Errors for one more name of a file. */
const refusesLink: readonly ErrorCode[] = [...refusesKind, 'EMLINK', 'EXDEV'];
/** Errors for owners, permissions or times that the filesystem does not keep. */
const refusesAttribute: readonly ErrorCode[] = [...refusesKind, 'EINVAL'];

/** Set-id bits would give the copier's rights to everybody who may run the file. */
const setIdBits = 0o6000;

/** Undefined for success, else the error, if it is one of `codes`; others are thrown. */
function* attempt(step: HostStep, codes: readonly ErrorCode[]): HostSteps<GuestfsError | undefined> {
  try {
    yield step;
    return undefined;
  } catch (thrown) {
    if (thrown instanceof GuestfsError && codes.includes(thrown.code)) return thrown;
    throw thrown;
  }
}

/**
 * The name of the copy of a guest's path; empty if only the contents are copied: for the root, and for `d/.`. EINVAL
 * for a path that ends in `..`, which has no name.
 */
export function lastNameOf(path: string): string {
  const name =
    path
      .split('/')
      .filter((part) => part !== '')
      .at(-1) ?? '';
  if (name === '.') return '';
  if (name === '..') throw new GuestfsError('EINVAL', `${path}: must end in a name`);
  return name;
}

/** The path in the guest for a name in the copy of `path`. */
export function sourcesOf(path: string): (name: string) => string {
  const top = lastNameOf(path);
  const before = top === '' ? `${path.replace(/\/*(\/\.)?\/*$/, '')}/` : path.slice(0, path.lastIndexOf(top));
  return (name) => before + name;
}

export class HostCopy {
  readonly #options: HostCopyOptions;
  readonly #entered = new Map<string, Directory>();
  /** Regular files of this copy, which may get further names. */
  readonly #files = new Map<string, HostPathBytes>();
  /** Targets of links of this copy, which may get further names. */
  readonly #links = new Map<string, string>();
  /** Files of this copy in directories that existed before: {@link HostEntry.identity}. */
  readonly #made = new Set<string>();
  /** The directory that was left out last; its contents are left out too. */
  #leftOut: string | undefined;
  /** In the order of the copy: their attributes are set at the end, the deepest first. */
  readonly #directories: { path: HostPathBytes; attributes: HostAttributes }[] = [];
  readonly #said = new Set<string>();

  /** `top`: a directory that is there. */
  constructor(top: HostPathBytes, options: HostCopyOptions) {
    this.#options = options;
    this.#entered.set('', { path: top, isOwn: false });
  }

  /**
   * Makes a directory, or uses an existing one. False: it is left out, and its contents must be left out. ENOTDIR if
   * there is a file of another kind.
   */
  *directory(name: string, attributes: HostAttributes): HostSteps<boolean> {
    const place = yield* this.#place(name);
    if (place === undefined) return this.#leaveOut(name);
    const { path, parent } = place;
    let isOwn = true;
    // Private until its contents are there.
    const made = yield* this.#make(name, { do: 'mkdir', path, mode: 0o700 }, parent);
    if (made === 'refused') return this.#leaveOut(name);
    if (made === 'present') {
      const there = yield* lookAt(path);
      if (there !== undefined && this.#made.has(there.identity)) {
        this.#warnOfTwin(name);
        return this.#leaveOut(name);
      }
      if (there?.isDirectory !== true)
        throw systemError(there === undefined ? 'ENOENT' : 'ENOTDIR', decodeText(path));
      isOwn = false;
      this.#made.add(there.identity);
    }
    this.#entered.set(tidy(name), { path, isOwn });
    this.#directories.push({ path, attributes });
    return true;
  }

  #leaveOut(name: string): false {
    this.#leftOut = `${tidy(name)}/`;
    return false;
  }

  /**
   * Opens a new file in place of an existing one; undefined: it is left out. `linkable`: {@link hardLink} may follow.
   */
  *file(name: string, linkable: boolean): HostSteps<OpenHostFile | undefined> {
    const place = yield* this.#place(name);
    if (place === undefined) return undefined;
    const { path, parent } = place;
    const made = yield* this.#replace(name, { do: 'open', path, mode: 0o600 }, parent);
    if (typeof made !== 'number') return undefined;
    if (linkable) this.#files.set(tidy(name), path);
    return { path, fd: made };
  }

  /** The contents of a file are all there. */
  *finishFile(file: OpenHostFile, attributes: HostAttributes): HostSteps<void> {
    yield* this.#setAttributes(file, attributes);
    yield { do: 'close', ...file };
  }

  /** A file is incomplete and is removed. */
  *abandonFile(file: OpenHostFile): HostSteps<void> {
    yield { do: 'close', ...file };
    yield { do: 'unlink', path: file.path };
  }

  /** Makes a link in place of an existing file; false: it is left out. */
  *symlink(name: string, target: string, attributes: HostAttributes, linkable: boolean): HostSteps<boolean> {
    const place = yield* this.#place(name);
    if (place === undefined) return false;
    const { path, parent } = place;
    const step: HostStep = { do: 'symlink', path, target: encodeText(target) };
    if ((yield* this.#replace(name, step, parent, refusesKind)) === 'refused') return false;
    if (linkable) this.#links.set(tidy(name), target);
    const { isRoot } = this.#options;
    const { uid, gid } = attributes;
    if (isRoot && (yield* attempt({ do: 'chown', path, uid, gid }, refusesAttribute)) !== undefined)
      this.#warnOfAttribute('owners');
    yield* this.#setTimes({ path }, attributes);
    return true;
  }

  /** Whether this copy made a `linkable` regular file under this name. */
  hasFile(name: string): boolean {
    return this.#files.has(tidy(name));
  }

  /** Another name of an earlier file of this copy; false: it is left out. If the host cannot link, a copy is made. */
  *hardLink(name: string, first: string, attributes: HostAttributes): HostSteps<boolean> {
    const target = this.#links.get(tidy(first));
    if (target !== undefined) return yield* this.symlink(name, target, attributes, false);
    const from = this.#files.get(tidy(first));
    const place = yield* this.#place(name);
    if (place === undefined) return false;
    // A link to any other file could amount to following a link of the guest.
    if (from === undefined) {
      this.#warn(name, `is another name of ${JSON.stringify(first)}, which is not copied, and is left out`);
      return false;
    }
    const { path, parent } = place;
    if (compareBytes(path, from) === 0)
      throw new CorruptError('tree of the guest', 'has a hard link to itself', { name });
    const linked = yield* this.#replace(name, { do: 'link', path, from }, parent, refusesLink, true);
    if (linked === 'made') return true;
    if (!(linked instanceof GuestfsError)) return false;
    if ((yield* this.#replace(name, { do: 'copyFile', path, from }, parent)) !== 'made') return false;
    yield* this.#setAttributes({ path }, attributes);
    if (!this.#said.has('links'))
      this.#warn(
        name,
        `is a copy of ${JSON.stringify(first)} and no other name of it, as are others here: ${linked.message}`,
      );
    this.#said.add('links');
    return true;
  }

  /** Reports a kind of file that is left out because no system call can make it. */
  leaveOut(name: string, kind: string): void {
    this.#warn(name, `a ${kind} is not copied: making one needs a program of the host`);
  }

  /** Gives the directories the attributes that they have in the guest. */
  *finish(): HostSteps<void> {
    for (const { path, attributes } of this.#directories.reverse())
      yield* this.#setAttributes({ path }, attributes);
  }

  /** The host path of a name; undefined if it is left out. Its directory exists and is no link. */
  *#place(name: string): HostSteps<{ path: HostPathBytes; parent: Directory } | undefined> {
    const tidied = tidy(name);
    if (this.#leftOut !== undefined) {
      if (tidied.startsWith(this.#leftOut)) return undefined;
      this.#leftOut = undefined;
    }
    const slash = tidied.lastIndexOf('/');
    const last = tidied.slice(slash + 1);
    const parent = yield* this.#enter(slash < 0 ? '' : tidied.slice(0, slash));
    if (last === '..' || last === '')
      throw new CorruptError('tree of the guest', 'has a name that leads out of it', { name });
    const problem = hostNameProblem(last, this.#options.platform);
    if (problem !== undefined) {
      this.#warn(name, `cannot have this name on the host, and is left out: ${problem}`);
      return undefined;
    }
    return { path: join(parent.path, last), parent };
  }

  *#enter(name: string): HostSteps<Directory> {
    const known = this.#entered.get(name);
    if (known !== undefined) return known;
    const slash = name.lastIndexOf('/');
    const last = name.slice(slash + 1);
    const parent: Directory = yield* this.#enter(slash < 0 ? '' : name.slice(0, slash));
    if (hostNameProblem(last, this.#options.platform) !== undefined)
      throw new CorruptError('tree of the guest', 'has a name that leads out of it', { name });
    const path = join(parent.path, last);
    const there = yield* lookAt(path);
    if (there?.isDirectory !== true)
      throw systemError(there === undefined ? 'ENOENT' : 'ENOTDIR', decodeText(path));
    const directory = { path, isOwn: false };
    this.#entered.set(name, directory);
    return directory;
  }

  /** As {@link #make}, in place of an existing file or link. EISDIR if there is a directory. */
  *#replace(
    name: string,
    step: HostStep & { path: HostPathBytes },
    parent: Directory,
    refusals: readonly ErrorCode[] = [],
    quiet = false,
  ): HostSteps<number | 'made' | 'refused' | GuestfsError> {
    const { path } = step;
    if (!parent.isOwn) {
      const there = yield* lookAt(path);
      if (there !== undefined && this.#made.has(there.identity)) {
        this.#warnOfTwin(name);
        return 'refused';
      }
      if (there?.isDirectory === true) throw systemError('EISDIR', decodeText(path));
      if (there !== undefined) yield { do: 'unlink', path };
    }
    const made = yield* this.#make(name, step, parent, refusals, quiet);
    // A directory that was private from its beginning has no other writer.
    if (made === 'present') throw systemError('EEXIST', decodeText(path));
    return made;
  }

  /**
   * Makes something new. If it exists already in a directory of this copy, this copy made it: the host treats two
   * names as one (a case-insensitive filesystem, Unicode normalisation), or a damaged guest has a name twice. The
   * second one is left out: it would silently replace the first, and a link would redirect a later directory.
   */
  *#make(
    name: string,
    step: HostStep & { path: HostPathBytes },
    parent: Directory,
    refusals: readonly ErrorCode[] = [],
    quiet = false,
  ): HostSteps<number | 'made' | 'present' | 'refused' | GuestfsError> {
    try {
      const answer = yield step;
      if (!parent.isOwn) {
        const there = yield* lookAt(step.path);
        if (there !== undefined) this.#made.add(there.identity);
      }
      return typeof answer === 'number' ? answer : 'made';
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError)) throw thrown;
      if (thrown.code === 'EEXIST') {
        if (!parent.isOwn) return 'present';
        this.#warnOfTwin(name);
        return 'refused';
      }
      if (!refusesName.includes(thrown.code) && !refusals.includes(thrown.code)) throw thrown;
      if (quiet) return thrown;
      this.#warn(name, `cannot be made on the host, and is left out: ${thrown.message}`);
      return 'refused';
    }
  }

  *#setAttributes(at: Target, attributes: HostAttributes): HostSteps<void> {
    const { isRoot, keepsSetId } = this.#options;
    const { mode, uid, gid } = attributes;
    const foreign = !isRoot || (yield* attempt({ do: 'chown', ...at, uid, gid }, refusesAttribute));
    if (foreign instanceof GuestfsError) this.#warnOfAttribute('owners');
    // Without its owner, a file with set-id bits would run with the copier's rights.
    const bits = mode & (keepsSetId && foreign === undefined ? 0o7777 : 0o7777 & ~setIdBits);
    if ((yield* attempt({ do: 'chmod', ...at, mode: bits }, refusesAttribute)) !== undefined)
      this.#warnOfAttribute('permissions');
    yield* this.#setTimes(at, attributes);
  }

  *#setTimes(at: Target, { accessedSeconds, modifiedSeconds }: HostAttributes): HostSteps<void> {
    const step: HostStep = { do: 'utimes', ...at, accessedSeconds, modifiedSeconds };
    if ((yield* attempt(step, refusesAttribute)) !== undefined) this.#warnOfAttribute('times');
  }

  #warn(name: string, message: string): void {
    this.#options.warn(`${this.#options.shown(tidy(name))}: ${message}`);
  }

  #warnOfTwin(name: string): void {
    this.#warn(name, 'is the same name on the host as another of its directory, and is left out');
  }

  #warnOfAttribute(what: string): void {
    if (this.#said.has(what)) return;
    this.#said.add(what);
    this.#options.warn(`the directory of the host does not keep all ${what} of the guest's files`);
  }
}

function* lookAt(path: HostPathBytes): HostSteps<HostEntry | undefined> {
  // safe: that is what this step answers with
  return (yield { do: 'lstat', path }) as HostEntry | undefined;
}

const join = (directory: HostPathBytes, name: string): HostPathBytes =>
  concatBytes([directory, encodeText(`/${name}`)]);

/** A name of an archive or a walk as its components joined by slashes; most names have this form already. */
function tidy(name: string): string {
  if (!/^\/|\/\/|\/$|(?:^|\/)\.(?:\/|$)/.test(name)) return name;
  return name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}
