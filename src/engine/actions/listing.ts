/** What is in directories and trees. */
import { direntLetters } from '../../api/index.js';
import { sortBytewise, systemError } from '../../base/index.js';
import type { DirectoryEntry, InodeNumber } from '../../fs/index.js';
import { expandGlob, type Mount, type Place, shownNumber, walkTree } from '../../vfs/index.js';
import { BufferedSink } from '../host/buffered.js';
import { TextList } from '../session/text-list.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';
import { formatUsage, longListing } from '../words/listing.js';

export function directoryAt(call: Call, path: string): Place {
  const place = call.session.tree.resolve(path);
  if (place.type !== 'directory') throw systemError('ENOTDIR', path);
  return place;
}

/**
 * Everything below a directory: the rest of each path after the directory's own. So, as in libguestfs, if the
 * directory was given without a trailing slash, each answer begins with one; and a link to a directory is entered
 * only with a trailing slash.
 */
function* pathsBelow(call: Call, directory: string): Generator<string, void> {
  directoryAt(call, directory);
  const { tree } = call.session;
  const endsInSlash = directory.endsWith('/');
  let count = 0;
  const start = tree.resolve(directory, { followLast: endsInSlash });
  for (const { path } of walkTree(tree, start, { from: directory })) {
    if ((++count & 255) === 0) call.progress(count, 0);
    if (path !== '') yield endsInSlash ? path : `/${path}`;
  }
  call.session.damage.failIfEmpty(count === 1);
}

/** The space of a tree in bytes; a file with several names counts once. */
function spaceTaken(call: Call, path: string): number {
  const { tree } = call.session;
  const seen = new Map<Mount, Set<InodeNumber>>();
  let total = 0;
  let count = 0;
  const start = tree.resolve(path, { followLast: false });
  for (const { place, stat } of walkTree(tree, start, { stat: true, from: path })) {
    if ((++count & 255) === 0) call.progress(count, 0);
    if (stat.linkCount > 1 && place.type !== 'directory') {
      let inodes = seen.get(place.mount);
      if (inodes === undefined) {
        inodes = new Set();
        seen.set(place.mount, inodes);
      }
      if (inodes.has(place.inode)) continue;
      inodes.add(place.inode);
    }
    total += stat.blockCount512 * 512;
  }
  return total;
}

/** The entries of a directory. Damaged ones are left out, with a warning that names the directory. */
export function* entriesAt(
  call: Call,
  path: string,
  directory: Place = directoryAt(call, path),
): Generator<DirectoryEntry, void> {
  const { tree, damage } = call.session;
  let count = 0;
  for (const entry of tree.entries(directory, (error) => damage.leaveOut(error, path))) {
    count++;
    yield entry;
  }
  damage.failIfEmpty(count === 0);
}

function* namesIn(call: Call, path: string): Generator<string, void> {
  for (const { name } of entriesAt(call, path)) yield name;
}

export const listingHandlers = {
  ls: (call, path) => sortBytewise(new TextList(path).addAll(namesIn(call, path)).items),
  ls0(call, path, sink) {
    const out = new BufferedSink(sink);
    for (const name of namesIn(call, path)) out.text(`${name}\0`);
    out.flush();
  },
  ll: (call, path) => longListing(call, path, false),
  llz: (call, path) => longListing(call, path, true),
  readdir(call, path) {
    const { tree } = call.session;
    const directory = directoryAt(call, path);
    const { self, parent } = tree.dots(directory);
    const found = [
      { ino: self, ftyp: 'd', name: '.' },
      { ino: parent, ftyp: 'd', name: '..' },
    ];
    const names = new TextList(path); // bounds them
    for (const { inode, type, name } of entriesAt(call, path, directory)) {
      names.add(name);
      found.push({ ino: shownNumber(directory, inode), ftyp: direntLetters[type], name });
    }
    return found;
  },
  find: (call, directory) => sortBytewise(new TextList(directory).addAll(pathsBelow(call, directory)).items),
  find0(call, directory, sink) {
    const out = new BufferedSink(sink);
    for (const path of pathsBelow(call, directory)) out.text(`${path}\0`);
    out.flush();
  },
  glob_expand(call, pattern, { directoryslash }) {
    const paths = expandGlob(call.session.tree, pattern, { directorySlash: directoryslash ?? true });
    call.session.damage.failIfEmpty(paths.length === 0);
    return paths;
  },
  du: (call, path) => Math.ceil(spaceTaken(call, path) / 1024),
  df: (call) => formatUsage(call, false),
  df_h: (call) => formatUsage(call, true),
} satisfies TopicHandlers;
