/**
 * A file or a tree of the guest into a directory of the host. The guest chooses names and link targets, so nothing
 * it names is ever followed on the host: files are made anew, and a directory is entered only after a look that it
 * is one and no link.
 */
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import { encodeText, GuestfsError, hostError, systemError } from '../base/index.js';
import type { FileType, InodeStat, Time } from '../fs/index.js';
import { type Place, walkTree } from '../vfs/index.js';
import type { Call } from './call.js';
import { contentsOf } from './contents.js';
import { HostFileSink } from './host-file.js';
import { move } from './mover.js';

/** A host path as bytes, so that names that are no UTF-8 come out as they are. */
type HostPath = Buffer;

function join(directory: HostPath, path: string): HostPath {
  return Buffer.concat([directory, Buffer.from('/'), encodeText(path)]);
}

function hostCall<T>(path: HostPath, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw hostError(path.toString(), thrown);
  }
}

const inSeconds = ({ seconds, nanoseconds }: Time): number => seconds + nanoseconds / 1e9;
const isRoot = process.getuid?.() === 0;

/** What is at a host path, links not followed; undefined for nothing. */
function present(path: HostPath): 'directory' | 'other' | undefined {
  const stats = hostCall(path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (stats === undefined) return undefined;
  return stats.isDirectory() ? 'directory' : 'other';
}

/** Removes a file or link that is in the way of a new one; a directory in the way is EEXIST. */
function clear(path: HostPath): void {
  const there = present(path);
  if (there === 'directory') throw systemError('EISDIR', path.toString());
  if (there === 'other') hostCall(path, () => unlinkSync(path));
}

function makeDirectory(path: HostPath): void {
  const there = present(path);
  if (there === 'other') throw systemError('ENOTDIR', path.toString());
  // Private until its contents are there; the guest's permissions come when it is left.
  if (there === undefined) hostCall(path, () => mkdirSync(path, 0o700));
}

/**
 * Set-id bits would give the rights of whoever copies to all who may run the file, so they go, unless root copies from a
 * guest that it trusts. The copy is private until then.
 */
function setAttributes(path: HostPath, stat: InodeStat, keepSetId: boolean): void {
  hostCall(path, () => {
    if (isRoot) chownSync(path, stat.uid, stat.gid);
    chmodSync(path, stat.mode & (keepSetId ? 0o7777 : 0o1777));
    utimesSync(path, inSeconds(stat.accessed), inSeconds(stat.modified));
  });
}

function makeLink(path: HostPath, target: string, stat: InodeStat): void {
  clear(path);
  hostCall(path, () => {
    symlinkSync(Buffer.from(encodeText(target)), path);
    if (isRoot) lchownSync(path, stat.uid, stat.gid);
    lutimesSync(path, inSeconds(stat.accessed), inSeconds(stat.modified));
  });
}

/** Bytes of all files, for progress. */
function totalSize(call: Call, start: Place): number {
  let total = 0;
  for (const { place } of walkTree(call.session.tree, start)) {
    call.checkpoint();
    if (place.type === 'file') total += place.fileSystem.stat(place.inode).sizeInBytes;
  }
  return total;
}

/** Copies what is at `remotePath` into the host's directory, under its own last name. */
export function copyOut(call: Call, remotePath: string, localDirectory: string): void {
  const { tree, config } = call.session;
  const keepSetId = isRoot && config.policy === 'trusted';
  const start = tree.resolve(remotePath, { followLast: false });
  const directory = Buffer.from(localDirectory);
  if (present(Buffer.concat([directory, Buffer.from('/.')])) !== 'directory')
    throw systemError('ENOTDIR', localDirectory);
  const name = lastName(remotePath);
  const top = name === '' ? directory : join(directory, name);
  const total = totalSize(call, start);
  let copied = 0;
  for (const { path, place, leaving } of walkTree(tree, start, { leave: true })) {
    call.progress(copied, total);
    const to = path === '' ? top : join(top, path);
    const stat = place.fileSystem.stat(place.inode);
    if (leaving) {
      if (to !== directory) setAttributes(to, stat, keepSetId);
      continue;
    }
    switch (place.type) {
      case 'directory':
        if (to !== directory) makeDirectory(to);
        break;
      case 'symlink':
        makeLink(to, place.fileSystem.readlink(place.inode), stat);
        break;
      case 'file': {
        clear(to);
        const sink = new HostFileSink(to, { mode: 0o600, exclusive: true });
        const before = copied;
        try {
          move(call, contentsOf(place, path), sink, {
            progress: (moved) => call.progress(before + moved, total),
          });
          sink.finish();
        } catch (thrown) {
          sink.abandon();
          throw thrown;
        }
        copied += stat.sizeInBytes;
        setAttributes(to, stat, keepSetId);
        break;
      }
      default:
        call.session.warn(
          `${pathBelow(remotePath, path)}: a ${typeWords[place.type] ?? place.type} is not copied: making one needs a program of the host`,
          'not copied',
        );
    }
  }
  call.progress(total, total);
}

/** What kinds of files are called, where it is more than their type. */
const typeWords: Partial<Record<FileType, string>> = {
  block: 'block device',
  character: 'character device',
  unknown: 'file of an unknown type',
};

const pathBelow = (directory: string, path: string): string =>
  path === '' ? directory : `${directory.replace(/\/+$/, '')}/${path}`;

/** The last component of a path; empty for the root. */
function lastName(path: string): string {
  const name =
    path
      .split('/')
      .filter((component) => component !== '')
      .at(-1) ?? '';
  if (name === '..' || name === '.') throw new GuestfsError('EINVAL', `${path}: must end in a name`);
  return name;
}
