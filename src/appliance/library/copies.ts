/** `copy_in` and `copy_out`: files and whole trees between host and guest, transferred as tar archives. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ActionName, Structs } from '../../api/index.js';
import {
  describeErrno,
  encodeText,
  GuestfsError,
  HostError,
  hostError,
  systemError,
  typeOfMode,
} from '../../base/index.js';
import {
  type HostAttributes,
  HostCopy,
  lastNameOf,
  sourcesOf,
  type TarMember,
  TarReader,
  type TarReceiver,
} from '../../formats/index.js';
import { followTar } from './archives.js';
import type { Composites, LibraryCall } from './call.js';
import { handInto } from './hand-into.js';
import { HostFileWriter, runSteps } from './host-steps.js';
import { archiveOf } from './host-tar.js';

const attributesOf = (stats: Structs['statns']): HostAttributes => ({
  mode: stats.stMode,
  uid: stats.stUid,
  gid: stats.stGid,
  // The time that tar stores for entries without one.
  accessedSeconds: stats.stMtimeSec,
  modifiedSeconds: stats.stMtimeSec,
});

/** Writes an archive's entries into a directory of the host. */
class Unpacker implements TarReceiver {
  readonly #copy: HostCopy;
  readonly #call: LibraryCall;
  readonly #top: string;
  #file: HostFileWriter | undefined;
  #member: TarMember | undefined;

  /** `top`: the name of the archive's top in the copy; empty if the top is the caller's directory itself. */
  constructor(copy: HostCopy, call: LibraryCall, top: string) {
    this.#copy = copy;
    this.#call = call;
    this.#top = top;
  }

  #name(name: string): string {
    return this.#top === '' ? name : `${this.#top}/${name}`;
  }

  async begin(member: TarMember): Promise<void> {
    this.#call.checkpoint();
    this.#member = member;
    const copy = this.#copy;
    const { type, linkName } = member;
    const isTop = member.name === './' || member.name === '.';
    const name = this.#name(member.name);
    // An archive has no times of access.
    const attributes = { ...member, accessedSeconds: member.modifiedSeconds };
    switch (type) {
      case 'directory':
        if (!isTop) await runSteps(copy.directory(name, attributes));
        return;
      case 'file': {
        const file = await runSteps(copy.file(name, true));
        this.#file = file === undefined ? undefined : new HostFileWriter(file);
        return;
      }
      case 'symlink':
        await runSteps(copy.symlink(name, linkName, attributes, true));
        return;
      case 'hardlink':
        await runSteps(copy.hardLink(name, this.#name(linkName), attributes));
        return;
      default:
        copy.leaveOut(name, type);
    }
  }

  async data(bytes: Uint8Array): Promise<void> {
    await this.#file?.write(bytes);
  }

  async end(): Promise<void> {
    const [writer, member] = [this.#file, this.#member];
    if (writer === undefined || member === undefined) return;
    await writer.flush();
    this.#file = undefined;
    await runSteps(
      this.#copy.finishFile(writer.file, { ...member, accessedSeconds: member.modifiedSeconds }),
    );
  }

  async abandon(): Promise<void> {
    const writer = this.#file;
    this.#file = undefined;
    if (writer !== undefined) await runSteps(this.#copy.abandonFile(writer.file));
  }
}

async function copyTree(call: LibraryCall, remotePath: string, copy: HostCopy, top: string): Promise<void> {
  const unpacker = new Unpacker(copy, call, top);
  const reader = new TarReader(unpacker);
  const received = await followTar(call, remotePath);
  try {
    await handInto(
      (piece) => reader.take(piece),
      (sink) => call.daemon('tar_out', [remotePath, sink], { numericowner: true }, received),
    );
    reader.finish();
  } catch (thrown) {
    await unpacker.abandon();
    throw thrown;
  }
  await runSteps(copy.finish());
}

async function copyFile(
  call: LibraryCall,
  remotePath: string,
  name: string,
  copy: HostCopy,
  attributes: HostAttributes,
): Promise<void> {
  const file = await runSteps(copy.file(name, false));
  if (file === undefined) return;
  const writer = new HostFileWriter(file);
  try {
    await handInto(
      (piece) => writer.write(piece),
      (sink) => call.daemon('download', [remotePath, sink]),
    );
    await writer.flush();
  } catch (thrown) {
    await runSteps(copy.abandonFile(file));
    throw thrown;
  }
  await runSteps(copy.finishFile(file, attributes));
}

/** A path of the host as bytes, because names need not be UTF-8. */
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
    const name = basename(localPath);
    // These paths name no file that could be made in the guest. The directory's contents are copied, as with `tar -C
    // PATH .`.
    const isContents = name === '.' || name === '..';
    // As in libguestfs, `/.` means the whole host.
    if (name === '') throw new GuestfsError('EINVAL', `${localPath}: must end in a name`);
    // The guest follows a link to a directory, as in any path.
    if (!(await call.daemon('is_dir', [remoteDirectory], { followsymlinks: true })))
      throw systemError('ENOTDIR', remoteDirectory);
    // A trailing slash would follow a link; `link/..` must not be simplified.
    const path = isContents ? localPath : join(dirname(localPath), name);
    const archive = archiveOf(path, isContents ? '.' : name, {
      checkpoint: () => call.checkpoint(),
      warn: (message) => call.warn(message),
    });
    await call.daemon('tar_in', [archive, remoteDirectory]);
  },
  copy_out: async (call, remotePath, localDirectory) => {
    if (!(await isHostDirectory(localDirectory)))
      throw new HostError('ENOTDIR', `${localDirectory}: ${describeErrno('ENOTDIR')}`, {
        path: localDirectory,
      });
    const name = lastNameOf(remotePath);
    const stats = await call.daemon('lstatns', [remotePath]);
    const attributes = attributesOf(stats);
    const copy = new HostCopy(onDisk(localDirectory), {
      platform: process.platform,
      isRoot: process.getuid?.() === 0,
      keepsSetId: call.isTrusted,
      warn: (message) => call.warn(message),
      shown: sourcesOf(remotePath),
    });
    switch (typeOfMode(stats.stMode)) {
      case 'file':
        return await copyFile(call, remotePath, name, copy, attributes);
      case 'symlink': {
        const target = await call.daemon('readlink', [remotePath]);
        await runSteps(copy.symlink(name, target, attributes, false));
        return;
      }
      case 'directory':
        if (name === '' || (await runSteps(copy.directory(name, attributes))))
          await copyTree(call, remotePath, copy, name);
        return;
      default:
        throw new GuestfsError('EINVAL', `${remotePath}: is no file, directory or symbolic link`);
    }
  },
} satisfies Partial<Composites<ActionName>>;
