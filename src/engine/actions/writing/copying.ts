/** Copying and moving within the guest, between files and devices. */
import { GuestfsError, systemError } from '../../../base/index.js';
import { move } from '../../host/copy-data.js';
import { copyTree } from '../../host/copy-tree.js';
import { DiskSink } from '../../host/disk-sink.js';
import { syncTree } from '../../host/sync-tree.js';
import { deviceOrFile } from '../../session/contents.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { type CopyOptions, copiedRange, copyToDevice } from './devices.js';
import { removeTree } from './directories.js';
import { targetFor } from './links.js';
import { fileMode, treeWriter, withContents } from './writer.js';

/** The options of `copy_file_to_file` and its kin. Exported for the compiler. */
export interface CopyRange extends CopyOptions {
  readonly append?: boolean | undefined;
}

/** Copies into a file, which is made if it does not exist and emptied unless it is appended to. */
function copyToFile(call: Call, source: string, target: string, options: CopyRange): void {
  const { append = false, destoffset = 0, sparse = false } = options;
  const from = deviceOrFile(call, source);
  copiedRange(from, source, options);
  const { contents, place } = treeWriter(call).open(target, { create: fileMode, truncate: !append });
  withContents(contents, (to) => {
    // A file that is copied over itself is empty by now, as it is in Linux.
    const same = source.startsWith('/dev/') ? undefined : call.session.tree.resolve(source);
    const isItself = same?.fileSystem === place.fileSystem && same.inode === place.inode;
    const data = isItself ? place.fileSystem.data(place.inode) : from;
    const range = copiedRange(data, source, options);
    move(call, data, new DiskSink(to, { offset: append ? to.size : destoffset, sparse }), {
      offset: Math.min(range.offset, data.size),
      length: range.length,
    });
  });
}

function copyOnto(call: Call, source: string, target: string, options: CopyOptions): void {
  if (target.startsWith('/dev/')) copyToDevice(call, deviceOrFile(call, source), source, target, options);
  else copyToFile(call, source, target, options);
}

/** `cp` in its three forms, into a directory that there is or to a path. */
function copy(
  call: Call,
  source: string,
  target: string,
  { recursive, keep }: { readonly recursive: boolean; readonly keep: boolean },
): void {
  const { tree } = call.session;
  const place = tree.resolve(source, { followLast: !recursive });
  if (place.type === 'directory' && !recursive)
    throw new GuestfsError('EINVAL', `${source}: is a directory, which is left out`, { path: source });
  const path = targetFor(call, source, target);
  if (path.endsWith('/') && place.type !== 'directory' && tree.find(path) === undefined)
    throw systemError('ENOTDIR', path);
  copyTree(call, treeWriter(call), place, { source, target: path }, { recursive, keep });
}

/** As mv(1): by another name where that is possible, else by a copy. */
function moveFile(call: Call, source: string, target: string): void {
  const { tree } = call.session;
  const writer = treeWriter(call);
  const place = tree.resolve(source, { followLast: false });
  const path = targetFor(call, source, target);
  const present = tree.find(path, { followLast: false });
  if (present !== undefined) {
    const isSame = present.mount.fileSystem === place.mount.fileSystem && present.inode === place.inode;
    if (isSame) {
      const [one, other] = [tree.position(source), tree.position(path)];
      const isOneName = one.directory.inode === other.directory.inode && one.name === other.name;
      // A file with one name has it in small and large letters, where a filesystem takes these for the same.
      if (isOneName || place.type === 'directory' || tree.statOf(place).linkCount < 2)
        throw new GuestfsError('EINVAL', `${source} and ${path} are the same file`, { path });
      return writer.unlink(source);
    }
    if (present.type === 'directory' && place.type !== 'directory') throw systemError('EISDIR', path);
    if (present.type !== 'directory' && place.type === 'directory') throw systemError('ENOTDIR', path);
  }
  try {
    writer.rename(source, path);
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code !== 'EXDEV') throw thrown;
    moveByCopying(call, source, path);
  }
}

/** To another filesystem. */
function moveByCopying(call: Call, source: string, path: string): void {
  const { tree } = call.session;
  const writer = treeWriter(call);
  const place = tree.resolve(source, { followLast: false });
  const { directory, name, last } = tree.position(source);
  if (last !== 'name' || directory.mount !== place.mount) throw systemError('EBUSY', source);
  const there = tree.find(path, { followLast: false });
  if (there !== undefined) {
    const target = tree.position(path);
    writer.removeIn(target.directory, target.name, path);
  }
  copyTree(call, writer, place, { source, target: path }, { recursive: true, keep: true });
  if (place.type === 'directory') removeTree(call, writer, directory, name, source);
  else writer.removeIn(directory, name, source);
}

/** As the program rsync between two places of the guest. */
function sync(
  call: Call,
  source: string,
  target: string,
  {
    archive = false,
    deletedest: deletes = false,
  }: { archive?: boolean | undefined; deletedest?: boolean | undefined },
): void {
  if (deletes && !archive)
    throw new GuestfsError(
      'EINVAL',
      'deletedest is for whole directories, and these are copied with archive only',
    );
  const writer = treeWriter(call);
  syncTree(call, writer, source, target, {
    archive,
    deletes,
    removeTree: (directory, name, path) => removeTree(call, writer, directory, name, path),
  });
}

export const copyingHandlers = {
  cp: (call, source, target) => copy(call, source, target, { recursive: false, keep: false }),
  cp_a: (call, source, target) => copy(call, source, target, { recursive: true, keep: true }),
  cp_r: (call, source, target) => copy(call, source, target, { recursive: true, keep: false }),
  mv: moveFile,
  rsync: sync,
  rename: (call, from, to) => treeWriter(call).rename(from, to),
  copy_file_to_file: copyToFile,
  copy_device_to_file: copyToFile,
  copy_file_to_device(call, source, target, { append, ...options }) {
    if (append === true)
      throw new GuestfsError('EINVAL', `${target}: a device has a fixed end: nothing is appended to it`);
    copyOnto(call, source, target, options);
  },
  copy_size: (call, source, target, size) => copyOnto(call, source, target, { size }),
  dd: (call, source, target) => copyOnto(call, source, target, {}),
} satisfies TopicHandlers;
