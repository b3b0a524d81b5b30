/** `copy_in` and `copy_out`: files and whole trees between host and guest, as tar archives on their way. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import type { ActionName, Structs } from '../../api/index.js';
import { encodeText, GuestfsError, hostError, systemError } from '../../base/index.js';
import type { Call, Composites } from './call.js';
import { archiveOf } from './host-tar.js';
import { type HostAttributes, type HostFile, HostTree } from './host-tree.js';
import { type TarMember, TarReader, type TarReceiver } from './tar-reader.js';

/** The last component of a path; empty for the root. `..` names nothing that could be made elsewhere: EINVAL. */
function lastName(path: string): string {
  const name =
    path
      .split('/')
      .filter((part) => part !== '')
      .at(-1) ?? '';
  if (name === '..' || name === '.') throw new GuestfsError('EINVAL', `${path}: must end in a name`);
  return name;
}

/** The file type in a mode. linux/stat.h. */
const typeMask = 0o170000;
const modes = { directory: 0o040000, file: 0o100000, symlink: 0o120000 } as const;

const attributesOf = (stats: Structs['statns']): HostAttributes => ({
  mode: stats.stMode,
  uid: stats.stUid,
  gid: stats.stGid,
  modifiedSeconds: stats.stMtimeSec,
});

/** Puts an archive's entries into a directory of the host. */
class Unpacker implements TarReceiver {
  readonly #tree: HostTree;
  readonly #call: Call;
  readonly #keepsTop: boolean;
  #file: HostFile | undefined;
  #member: TarMember | undefined;

  /** `keepsTop`: the directory itself is the caller's, and its attributes stay. */
  constructor(tree: HostTree, call: Call, keepsTop: boolean) {
    this.#tree = tree;
    this.#call = call;
    this.#keepsTop = keepsTop;
  }

  async begin(member: TarMember): Promise<void> {
    this.#call.checkpoint();
    this.#member = member;
    const { name, type, linkName } = member;
    switch (type) {
      case 'directory':
        if (!(this.#keepsTop && (name === './' || name === '.'))) await this.#tree.directory(name, member);
        return;
      case 'file':
        this.#file = await this.#tree.file(name);
        return;
      case 'symlink':
        return await this.#tree.symlink(name, linkName, member);
      case 'hardlink':
        return await this.#tree.hardLink(name, linkName);
      default:
        this.#call.warn(`${name}: a ${type} is not copied: making one needs a program of the host`);
    }
  }

  async data(bytes: Uint8Array): Promise<void> {
    await this.#file?.write(bytes);
  }

  async end(): Promise<void> {
    const [file, member] = [this.#file, this.#member];
    this.#file = undefined;
    if (file !== undefined && member !== undefined) await file.finish(member);
  }

  async abandon(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.abandon();
  }
}

/** Something to write to that hands each piece on and waits for it. `failure`: why the first piece was refused. */
class Handing extends Writable {
  readonly #take: (piece: Uint8Array) => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  failure: { readonly thrown: unknown } | undefined;

  constructor(take: (piece: Uint8Array) => Promise<void>) {
    super({ highWaterMark: 1024 * 1024 });
    this.#take = take;
    // Told by whoever writes, and by `into`; without a listener it would end the process.
    this.on('error', () => {});
  }

  override _write(piece: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#last = this.#take(piece).then(
      () => done(),
      (thrown: Error) => {
        this.failure = { thrown };
        done(thrown);
      },
    );
  }

  /** Resolves when all that was written has been taken. */
  async settled(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.destroyed || this.writableFinished) return resolve();
      this.once('close', resolve);
      this.end(resolve);
    });
    await this.#last;
  }
}

async function handInto(
  take: (piece: Uint8Array) => Promise<void>,
  work: (sink: Writable) => Promise<unknown>,
): Promise<void> {
  const sink = new Handing(take);
  try {
    await work(sink);
  } catch (thrown) {
    sink.destroy();
    await sink.settled();
    throw sink.failure === undefined ? thrown : sink.failure.thrown;
  }
  await sink.settled();
  if (sink.failure !== undefined) throw sink.failure.thrown;
}

async function copyTree(call: Call, remotePath: string, tree: HostTree, keepsTop: boolean): Promise<void> {
  const unpacker = new Unpacker(tree, call, keepsTop);
  const reader = new TarReader(unpacker);
  try {
    await handInto(
      (piece) => reader.take(piece),
      (sink) => call.daemon('tar_out', [remotePath, sink], { numericowner: true }),
    );
    reader.finish();
  } catch (thrown) {
    await unpacker.abandon();
    throw thrown;
  }
  await tree.finish();
}

/** A directory of the host for a tree of the guest. */
async function newTree(
  call: Call,
  parent: string,
  name: string,
  attributes: HostAttributes,
): Promise<HostTree> {
  const tree = new HostTree(`${parent}/${name}`, { keepsSetId: call.isTrusted });
  await tree.directory('', attributes);
  return tree;
}

async function copyFile(
  call: Call,
  remotePath: string,
  name: string,
  tree: HostTree,
  attributes: HostAttributes,
): Promise<void> {
  const file = await tree.file(name);
  try {
    await handInto(
      (piece) => file.write(piece),
      (sink) => call.daemon('download', [remotePath, sink]),
    );
  } catch (thrown) {
    await file.abandon();
    throw thrown;
  }
  await file.finish(attributes);
}

/** A path of the host as its bytes: names need not be UTF-8. */
const onDisk = (path: string): Buffer => Buffer.from(encodeText(path));

async function isHostDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(onDisk(path))).isDirectory();
  } catch (thrown) {
    const error = hostError(path, thrown);
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
    throw error;
  }
}

export const copyActions = {
  copy_in: async (call, localPath, remoteDirectory) => {
    try {
      await stat(onDisk(localPath)); // a link that leads nowhere is not copied
    } catch (thrown) {
      throw hostError(localPath, thrown);
    }
    const name = lastName(localPath);
    if (name === '') throw new GuestfsError('EINVAL', `${localPath}: must end in a name`);
    // A link to a directory is followed in the guest, as a path is.
    if (!(await call.daemon('is_dir', [remoteDirectory], { followsymlinks: true })))
      throw systemError('ENOTDIR', remoteDirectory);
    const path = join(dirname(localPath), basename(localPath));
    const archive = archiveOf(path, name, {
      checkpoint: () => call.checkpoint(),
      warn: (message) => call.warn(message),
    });
    await call.daemon('tar_in', [archive, remoteDirectory]);
  },
  copy_out: async (call, remotePath, localDirectory) => {
    if (!(await isHostDirectory(localDirectory))) throw systemError('ENOTDIR', localDirectory);
    const name = lastName(remotePath);
    const stats = await call.daemon('lstatns', [remotePath]);
    const attributes = attributesOf(stats);
    const tree = new HostTree(localDirectory, { keepsSetId: call.isTrusted });
    switch (stats.stMode & typeMask) {
      case modes.file:
        return await copyFile(call, remotePath, name, tree, attributes);
      case modes.symlink:
        return await tree.symlink(name, await call.daemon('readlink', [remotePath]), attributes);
      case modes.directory:
        if (name === '') return await copyTree(call, remotePath, tree, true);
        return await copyTree(call, remotePath, await newTree(call, localDirectory, name, attributes), false);
      default:
        throw new GuestfsError('EINVAL', `${remotePath}: is no file, directory or symbolic link`);
    }
  },
} satisfies Partial<Composites<ActionName>>;
