/** Hard and symbolic links, pipes and device nodes. */
import { GuestfsError, systemError, typeOfMode } from '../../../base/index.js';
import { joinPath, type Place, type TreeWriter } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { checkMode, treeWriter, withNewName } from './writer.js';

/** The last component of a path, as basename(1) has it. */
function baseName(path: string): string {
  return path.replace(/\/+$/, '').replace(/^.*\//, '') || '/';
}

/** As in ln(1), cp(1) and mv(1): into a directory goes what is named after its source. */
export function targetFor(call: Call, source: string, target: string): string {
  return call.session.tree.find(target)?.type === 'directory' ? joinPath(target, baseName(source)) : target;
}

const parentOf = (path: string): string => path.replace(/\/*[^/]*\/*$/, '') || '/';

/**
 * Replaces what is at a path by what `make` makes under another name: as in ln(1), it takes the name in one step, so that
 * what cannot be made leaves what is there.
 */
function replaceBy(
  call: Call,
  writer: TreeWriter,
  path: string,
  make: (directory: Place, name: string) => void,
): void {
  const { directory } = call.session.tree.position(path);
  const scratch = withNewName('.guestfs-XXXXXX', '', (name) => make(directory, name));
  try {
    writer.rename(joinPath(parentOf(path), scratch), path);
  } catch (thrown) {
    writer.removeIn(directory, scratch, path);
    throw thrown;
  }
}

/** `ln -f`: what has the name is replaced. */
function linkOver(call: Call, target: string, link: string): void {
  const { tree } = call.session;
  const path = targetFor(call, target, link);
  const writer = treeWriter(call);
  const source = tree.resolve(target, { followLast: false });
  const { directory, name } = tree.position(path);
  const present = tree.child(directory, name);
  if (source.type === 'directory') throw systemError('EPERM', target);
  if (present?.type === 'directory') throw systemError('EISDIR', path);
  if (source.mount !== directory.mount) throw systemError('EXDEV', path);
  if (present?.inode === source.inode) {
    const { directory: above, name: own } = tree.position(target);
    if (above.inode === directory.inode && own === name)
      throw new GuestfsError('EINVAL', `${target} and ${path} are the same file`, { path });
    return;
  }
  if (present === undefined) writer.link(target, path);
  else replaceBy(call, writer, path, (above, scratch) => writer.linkIn(source, above, scratch, path));
}

/** `ln -s`, or with `isForced` `ln -sf`. */
function linkTo(call: Call, target: string, link: string, isForced: boolean): void {
  const path = targetFor(call, target, link);
  const writer = treeWriter(call);
  if (target === '') throw systemError('ENOENT', path);
  const file = { type: 'symlink', permissions: 0o777, target } as const;
  if (isForced && call.session.tree.find(path, { followLast: false }) !== undefined)
    replaceBy(call, writer, path, (above, scratch) => void writer.createIn(above, scratch, file, path));
  else writer.create(path, file);
}

/** The bits of the mode that say what a file is: `S_IFMT`. */
const typeBits = 0o170000;

function makeNode(call: Call, mode: number, major: number, minor: number, path: string): void {
  checkMode(mode, path);
  const type = (mode & typeBits) === 0 ? 'file' : typeOfMode(mode);
  if (type === 'directory') throw systemError('EPERM', path);
  if (type === 'symlink' || type === 'unknown') throw systemError('EINVAL', path);
  const isDevice = type === 'block' || type === 'character';
  const device = isDevice ? { device: [major, minor] as const } : {};
  treeWriter(call).create(path, { type, permissions: mode & 0o7777, ...device });
}

/** A node whose type the action says. */
function makeTyped(
  call: Call,
  type: 'fifo' | 'block' | 'character',
  mode: number,
  path: string,
  device?: readonly [major: number, minor: number],
): void {
  checkMode(mode, path);
  if ((mode & typeBits) !== 0)
    throw new GuestfsError('EINVAL', `${path}: mode has the bits of a type: give permissions alone`, {
      path,
    });
  treeWriter(call).create(path, { type, permissions: mode & 0o7777, ...(device ? { device } : {}) });
}

export const linkWritingHandlers = {
  ln: (call, target, link) => treeWriter(call).link(target, link),
  ln_f: linkOver,
  ln_s: (call, target, link) => linkTo(call, target, link, false),
  ln_sf: (call, target, link) => linkTo(call, target, link, true),
  mkfifo: (call, mode, path) => makeTyped(call, 'fifo', mode, path),
  mknod: makeNode,
  mknod_b: (call, mode, major, minor, path) => makeTyped(call, 'block', mode, path, [major, minor]),
  mknod_c: (call, mode, major, minor, path) => makeTyped(call, 'character', mode, path, [major, minor]),
} satisfies TopicHandlers;
