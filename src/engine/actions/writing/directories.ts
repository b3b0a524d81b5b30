/** Directories made and removed, and whole trees removed. */
import { GuestfsError, systemError, work } from '../../../base/index.js';
import { joinPath, type Place, type TreeWriter } from '../../../vfs/index.js';
import { FirstFailure } from '../../host/first-failure.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { checkMode, directoryMode, fileMode, treeWriter, withNewName } from './writer.js';

/** Makes a directory, and those above it that are missing. */
function makeAll(call: Call, path: string): void {
  const { tree } = call.session;
  const writer = treeWriter(call);
  const missing: string[] = [];
  for (let at = path; ; at = at.replace(/\/*[^/]*\/*$/, '') || '/') {
    const found = tree.find(at);
    if (found?.type === 'directory') break;
    if (found !== undefined) throw systemError('ENOTDIR', path);
    missing.push(at);
  }
  for (const each of missing.reverse()) {
    call.checkpoint();
    // `a/new/..` is there once `a/new` is.
    if (tree.find(each)?.type === 'directory') continue;
    writer.create(each, { type: 'directory', permissions: directoryMode });
  }
}

interface Level {
  readonly place: Place;
  readonly above: Place;
  readonly name: string;
  readonly path: string;
  readonly entries: Iterator<{ readonly name: string; readonly inode: number; readonly type: string }>;
}

/**
 * Removes what is in a directory, and the directory. As in `rm -rf`, what cannot be removed is left, the rest goes, and
 * the first error is thrown at the end.
 */
export function removeTree(
  call: Call,
  writer: TreeWriter,
  directory: Place,
  name: string,
  path: string,
): void {
  const { tree } = call.session;
  const failures = new FirstFailure();
  const levels: Level[] = [];
  const meet = (above: Place, each: string, at: string): void => {
    const child = tree.child(above, each);
    if (child === undefined) return;
    const place = tree.place(above, child);
    if (place.type !== 'directory') return writer.removeIn(above, each, at);
    // All at once, since a directory that changes is no directory to go on reading.
    const entries = [...tree.entries(place)][Symbol.iterator]();
    levels.push({ place, above, name: each, path: at, entries });
  };
  failures.attempt(() => meet(directory, name, path));
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    call.checkpoint();
    work.entries.spend(1);
    const { place, above } = level;
    const next = level.entries.next();
    if (next.done !== true) {
      const at = joinPath(level.path, next.value.name);
      failures.attempt(() => meet(place, next.value.name, at));
      continue;
    }
    levels.pop();
    const { name: own, path: at } = level;
    failures.attempt(() => writer.removeIn(above, own, at));
  }
  failures.end();
}

function removeAll(call: Call, path: string): void {
  const { tree } = call.session;
  const { directory, name, last, hasSlash } = tree.position(path);
  if (last === 'root') throw new GuestfsError('EINVAL', 'cannot remove root directory', { path });
  if (last !== 'name') throw new GuestfsError('EINVAL', `${path}: refusing to remove . or ..`, { path });
  const child = tree.child(directory, name);
  if (child === undefined) return;
  if (hasSlash && child.type !== 'directory') throw systemError('ENOTDIR', path);
  removeTree(call, treeWriter(call), directory, name, path);
}

/** What cannot be found needs no removing. */
function unlessMissing(work: () => void): void {
  try {
    work();
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code !== 'ENOENT') throw thrown;
  }
}

/** Blocks that mklost+found(8) takes for the directory, so that a check has them. */
const lostAndFoundMode = 0o700;

export const directoryWritingHandlers = {
  mkdir: (call, path) =>
    void treeWriter(call).create(path, { type: 'directory', permissions: directoryMode }),
  mkdir_mode(call, path, mode) {
    checkMode(mode, path);
    treeWriter(call).create(path, { type: 'directory', permissions: mode });
  },
  mkdir_p: makeAll,
  rmdir: (call, path) => treeWriter(call).rmdir(path),
  mkdtemp: (call, template) =>
    withNewName(template, '', (path) =>
      treeWriter(call).create(path, { type: 'directory', permissions: 0o700 }),
    ),
  mktemp: (call, template, { suffix = '' }) =>
    withNewName(template, suffix, (path) =>
      treeWriter(call).create(path, { type: 'file', permissions: 0o600 }),
    ),
  rm: (call, path) => treeWriter(call).unlink(path),
  rm_f: (call, path) => unlessMissing(() => treeWriter(call).unlink(path)),
  rm_rf: (call, path) => unlessMissing(() => removeAll(call, path)),
  fill_dir(call, directory, count) {
    const writer = treeWriter(call);
    for (let number = 0; number < count; number++) {
      call.progress(number, count);
      const path = joinPath(directory, String(number).padStart(8, '0'));
      writer.open(path, { create: fileMode, truncate: true }).contents.close();
    }
  },
  mklost_and_found(call, mountpoint) {
    const { tree } = call.session;
    if (tree.resolve(mountpoint).type !== 'directory') throw systemError('ENOTDIR', mountpoint);
    const writer = treeWriter(call);
    const path = joinPath(mountpoint, 'lost+found');
    writer.create(path, { type: 'directory', permissions: lostAndFoundMode });
  },
} satisfies TopicHandlers;
