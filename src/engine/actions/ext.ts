/** Actions of ext2, ext3 and ext4 only: the superblock's fields, and the attributes of `lsattr`. */
import { GuestfsError } from '../../base/index.js';
import { type ExtDetails, extDetails } from '../../fs/index.js';
import type { Place } from '../../vfs/index.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

/** The letters of `lsattr`, by the bits of FS_IOC_GETFLAGS. Source: chattr(1), linux/fs.h. */
export const attributeLetters: readonly (readonly [bits: number, letter: string])[] = [
  [0x0000_0001, 's'],
  [0x0000_0002, 'u'],
  [0x0000_0008, 'S'],
  [0x0001_0000, 'D'],
  [0x0000_0010, 'i'],
  [0x0000_0020, 'a'],
  [0x0000_0040, 'd'],
  [0x0000_0080, 'A'],
  [0x0000_0004, 'c'],
  [0x0000_0800, 'E'],
  [0x0000_4000, 'j'],
  [0x0000_1000, 'I'],
  [0x0000_8000, 't'],
  [0x0002_0000, 'T'],
  [0x0008_0000, 'e'],
  [0x0080_0000, 'C'],
  [0x0200_0000, 'x'],
  [0x4000_0000, 'F'],
  [0x1000_0000, 'N'],
  [0x2000_0000, 'P'],
  [0x0010_0000, 'V'],
  [0x0000_0400, 'm'],
];

/** tune2fs's words for a missing value, for which libguestfs has an empty one. */
const nothing = new Set(['<none>', '<not available>', '(none)']);

/** A value as in libguestfs's appliance, where no user and no group has a name. */
function asPrinted(key: string, value: string): string {
  if (nothing.has(value)) return '';
  // Each flag is printed with a space after it.
  if (key === 'Filesystem flags') return `${value} `;
  return value.replace(/ \((user|group) \S*\)$/, ' ($1 unknown)');
}

function notExt(what: string): GuestfsError {
  return new GuestfsError('EINVAL', `${what}: not on an ext2, ext3 or ext4 filesystem`);
}

/** Runs `work` on the ext filesystem of a device, mounted or not. */
function withDetails<T>(call: Call, name: string, work: (details: ExtDetails) => T): T {
  const { fileSystem, release } = call.session.fileSystems.open(call.session.devices.resolve(name));
  try {
    const details = extDetails(fileSystem);
    if (details === undefined) throw notExt(name);
    return work(details);
  } finally {
    release();
  }
}

const notOnExt = (path: string): GuestfsError =>
  new GuestfsError('ENOTTY', `${path}: not on an ext2, ext3 or ext4 filesystem`);

/** The file or directory at a path. */
function placeAt(call: Call, path: string): Place {
  const place = call.session.tree.resolve(path);
  if (place.type !== 'file' && place.type !== 'directory')
    throw new GuestfsError('EOPNOTSUPP', `${path}: a ${place.type} has no such attributes`);
  return place;
}

export const extHandlers = {
  tune2fs_l: (call, name) =>
    withDetails(
      call,
      name,
      (details) =>
        new Map([...details.superblockFacts()].map(([key, value]) => [key, asPrinted(key, value)])),
    ),
  get_e2attrs(call, path) {
    const { fileSystem, inode } = placeAt(call, path);
    if (fileSystem.attributeFlags === undefined) throw notOnExt(path);
    const flags = fileSystem.attributeFlags(inode);
    return attributeLetters
      .flatMap(([bits, letter]) => (flags & bits ? [letter] : []))
      .sort()
      .join('');
  },
  get_e2generation(call, path) {
    const { fileSystem, inode } = placeAt(call, path);
    const details = extDetails(fileSystem);
    if (details === undefined) throw notOnExt(path);
    return details.generation(inode);
  },
} satisfies TopicHandlers;
