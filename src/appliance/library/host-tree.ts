/**
 * A directory of the host that is filled with what a guest has. The guest chooses names and targets of links, so nothing
 * it names is ever followed here: files are made anew, and a directory is entered only after a look that it is one and
 * no link.
 */

import { constants } from 'node:fs';
import {
  chmod,
  chown,
  type FileHandle,
  lchown,
  link,
  lstat,
  lutimes,
  mkdir,
  open,
  symlink,
  unlink,
  utimes,
} from 'node:fs/promises';
import {
  CorruptError,
  decodeText,
  encodeText,
  GuestfsError,
  hostError,
  systemError,
} from '../../base/index.js';

export interface HostAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifiedSeconds: number;
}

type HostPath = Buffer;

const isRoot = process.getuid?.() === 0;
const slash = Buffer.from('/');
/** Bytes that are gathered before they are written. */
const writeLength = 1024 * 1024;

async function onHost<T>(path: HostPath, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw hostError(decodeText(path), thrown);
  }
}

/** What is at a path, links not followed. */
async function present(path: HostPath): Promise<'directory' | 'other' | undefined> {
  try {
    const stats = await lstat(path);
    return stats.isDirectory() ? 'directory' : 'other';
  } catch (thrown) {
    const error = hostError(decodeText(path), thrown);
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes a file or link that is in the way of a new one; a directory in the way is EISDIR. */
async function clear(path: HostPath): Promise<void> {
  const there = await present(path);
  if (there === 'directory') throw systemError('EISDIR', decodeText(path));
  if (there !== undefined) await onHost(path, () => unlink(path));
}

/** The bits of a mode that files of the host get. Set-id bits give away the rights of whoever copies: they are root's to trust. */
const modeMask = (keepsSetId: boolean): number => (keepsSetId && isRoot ? 0o7777 : 0o1777);

/** A file that is written; private until its contents are there. */
export class HostFile {
  readonly #path: HostPath;
  readonly #file: FileHandle;
  readonly #modeMask: number;
  #waiting: Uint8Array[] = [];
  #waitingLength = 0;

  constructor(path: HostPath, file: FileHandle, modeMask: number) {
    this.#path = path;
    this.#file = file;
    this.#modeMask = modeMask;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#waitingLength += bytes.length;
    if (this.#waitingLength >= writeLength) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#waiting, this.#waitingLength);
    this.#waiting = [];
    this.#waitingLength = 0;
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await onHost(this.#path, () => this.#file.write(bytes, at, bytes.length - at));
      at += bytesWritten;
    }
  }

  async finish(attributes: HostAttributes): Promise<void> {
    await this.#flush();
    await onHost(this.#path, async () => {
      if (isRoot) await this.#file.chown(attributes.uid, attributes.gid);
      await this.#file.chmod(attributes.mode & this.#modeMask);
      await this.#file.utimes(attributes.modifiedSeconds, attributes.modifiedSeconds);
      await this.#file.close();
    });
  }

  /** Not all of it came: what there is of it is removed. */
  async abandon(): Promise<void> {
    await this.#file.close();
    await onHost(this.#path, () => unlink(this.#path));
  }
}

export class HostTree {
  readonly #top: HostPath;
  readonly #modeMask: number;
  /** Directories that were seen to be no links. What is one here stays one: only others are ever removed. */
  readonly #entered = new Set<string>();
  /** Files that were made here: what a hard link may lead to. */
  readonly #made = new Set<string>();
  /** In the order in which they were met: their attributes come last, the deepest first. */
  readonly #directories: { path: HostPath; attributes: HostAttributes }[] = [];

  /** `top` must be a directory, or nothing yet: `directory('')` then makes it. `keepsSetId`: where the guest is trusted. */
  constructor(top: string, { keepsSetId }: { keepsSetId: boolean }) {
    this.#top = Buffer.from(encodeText(top));
    this.#modeMask = modeMask(keepsSetId);
  }

  /** The path of a name, whose directories are there and no links. */
  async #place(name: string): Promise<HostPath> {
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..'))
      throw new CorruptError('tree of the guest', 'has a name that leads out of it', { name });
    let path = this.#top;
    for (const [index, part] of parts.entries()) {
      if (index > 0) await this.#enter(path);
      path = Buffer.concat([path, slash, encodeText(part)]);
    }
    return path;
  }

  async #enter(path: HostPath): Promise<void> {
    const key = path.toString('latin1');
    if (this.#entered.has(key)) return;
    const there = await present(path);
    if (there !== 'directory')
      throw systemError(there === undefined ? 'ENOENT' : 'ENOTDIR', decodeText(path));
    this.#entered.add(key);
  }

  /** Makes a directory, or takes one that is there. */
  async directory(name: string, attributes: HostAttributes): Promise<void> {
    const path = await this.#place(name);
    const there = await present(path);
    if (there !== undefined && there !== 'directory') throw systemError('ENOTDIR', decodeText(path));
    // Private until its contents are there.
    if (there === undefined) await onHost(path, () => mkdir(path, 0o700));
    this.#entered.add(path.toString('latin1'));
    this.#directories.push({ path, attributes });
  }

  async file(name: string): Promise<HostFile> {
    const path = await this.#place(name);
    await clear(path);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    const file = new HostFile(path, await onHost(path, () => open(path, flags, 0o600)), this.#modeMask);
    this.#made.add(path.toString('latin1'));
    return file;
  }

  async symlink(name: string, target: string, attributes: HostAttributes): Promise<void> {
    const path = await this.#place(name);
    await clear(path);
    this.#made.delete(path.toString('latin1'));
    await onHost(path, async () => {
      await symlink(Buffer.from(encodeText(target)), path);
      if (isRoot) await lchown(path, attributes.uid, attributes.gid);
      await lutimes(path, attributes.modifiedSeconds, attributes.modifiedSeconds);
    });
  }

  /** Another name of a file that was made before. */
  async hardLink(name: string, target: string): Promise<void> {
    const from = await this.#place(target);
    // A link to anything else could be as good as following one of the guest's.
    if (!this.#made.has(from.toString('latin1')))
      throw new CorruptError('tree of the guest', 'has a hard link to what is no file before it', { name });
    const path = await this.#place(name);
    if (path.equals(from)) throw new GuestfsError('EIO', `${name}: a hard link to itself`);
    await clear(path);
    await onHost(path, () => link(from, path));
    this.#made.add(path.toString('latin1'));
  }

  /** Gives the directories the attributes that they have in the guest. */
  async finish(): Promise<void> {
    for (const { path, attributes } of this.#directories.reverse()) {
      await onHost(path, async () => {
        if (isRoot) await chown(path, attributes.uid, attributes.gid);
        await chmod(path, attributes.mode & this.#modeMask);
        await utimes(path, attributes.modifiedSeconds, attributes.modifiedSeconds);
      });
    }
  }
}
