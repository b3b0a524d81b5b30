/** `file` and `zfile`: what something is and holds, in words. */
import { GuestfsError, readUpTo } from '../../base/index.js';
import type { FileType } from '../../fs/index.js';
import { packingOf, unpack } from '../../vfs/index.js';
import { fileContents } from '../session/contents.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';
import { headLength, identify, identifyUnpacked } from '../words/identify/index.js';

const kinds: Readonly<Partial<Record<FileType, string>>> = {
  directory: 'directory',
  symlink: 'symbolic link',
  block: 'block device',
  character: 'character device',
  fifo: 'FIFO',
  socket: 'socket',
};

function describe(call: Call, name: string): string {
  const { session } = call;
  if (name.startsWith('/dev/')) return identify(session.devices.resolve(name).disk);
  const place = session.tree.resolve(name, { followLast: false });
  const kind = kinds[place.type];
  if (kind !== undefined) return kind;
  const { mode } = place.fileSystem.stat(place.inode);
  const special = specialBits.map(([bit, word]) => (mode & bit ? `${word} ` : '')).join('');
  return special + identify(place.fileSystem.data(place.inode));
}

/** Permission bits that are worth a word. */
const specialBits = [
  [0o4000, 'setuid'],
  [0o2000, 'setgid'],
  [0o1000, 'sticky'],
] as const;

/** The compressions that the program of a method unpacks. */
const methods: Readonly<Record<string, readonly string[]>> = {
  gzip: ['gzip', 'compress'],
  compress: ['gzip', 'compress'],
  bzip2: ['bzip2'],
};
const longestMark = 6;

function describeInside(call: Call, method: string, path: string): string {
  const readable = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (readable === undefined) throw new GuestfsError('EINVAL', `${method}: must be gzip, compress or bzip2`);
  const contents = fileContents(call, path);
  const packing = packingOf(readUpTo(contents, 0, longestMark));
  if (packing === undefined || !readable.includes(packing))
    throw new GuestfsError('EINVAL', `${path}: is not compressed with ${method}`);
  return identifyUnpacked(unpack(contents, path, { enough: headLength }) ?? new Uint8Array(0));
}

export const fileHandlers = { file: describe, zfile: describeInside } satisfies TopicHandlers;
