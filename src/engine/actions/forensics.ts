/**
 * Deleted files, and the contents of blocks, for ext2, ext3 and ext4, mounted or not. In libguestfs, The Sleuth Kit
 * does this, for other filesystems too.
 */
import type { Structs } from '../../api/index.js';
import { direntLetters } from '../../api/index.js';
import { CorruptError, GuestfsError, typeOfMode, UnsupportedError } from '../../base/index.js';
import {
  type ExtDetails,
  extDetails,
  type FileSystem,
  type InodeRemains,
  isDamage,
  type OnDamage,
  type StoredName,
} from '../../fs/index.js';
import { move } from '../host/copy-data.js';
import type { FileOutSink } from '../host/data-sinks.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

type Dirent = Structs['tsk_dirent'];

/** `tsk_flags`. */
const flags = { allocated: 1, reallocated: 2 } as const;

/** The deepest nesting of directories, because a damaged disk may have a circle of them. */
const deepest = 4096;

export function withFileSystem<T>(call: Call, mountable: string, work: (fileSystem: FileSystem) => T): T {
  const { device } = call.session.devices.parseMountable(mountable);
  const { fileSystem, release } = call.session.fileSystems.open(device);
  try {
    return work(fileSystem);
  } finally {
    release();
  }
}

function withExt<T>(
  call: Call,
  mountable: string,
  work: (details: ExtDetails, fileSystem: FileSystem) => T,
): T {
  return withFileSystem(call, mountable, (fileSystem) => {
    const details = extDetails(fileSystem);
    if (details === undefined)
      throw new UnsupportedError(`${call.action} on ${mountable}`, [fileSystem.type], {
        elsewhere: 'appliance',
      });
    return work(details, fileSystem);
  });
}

/** The target of a link, deleted or not; empty where nothing of it is left. */
function targetOf(details: ExtDetails, inode: number): string {
  try {
    return details.readlink(inode);
  } catch (thrown) {
    if (thrown instanceof CorruptError) return '';
    throw thrown;
  }
}

/** The Sleuth Kit adds an inode after the last one: a directory for files without names. Here it is empty. */
const blank: Dirent = {
  tskInode: 0,
  tskType: direntLetters.unknown,
  tskSize: 0,
  tskName: '',
  tskFlags: 0,
  tskAtimeSec: 0,
  tskAtimeNsec: 0,
  tskMtimeSec: 0,
  tskMtimeNsec: 0,
  tskCtimeSec: 0,
  tskCtimeNsec: 0,
  tskCrtimeSec: 0,
  tskCrtimeNsec: 0,
  tskNlink: 1,
  tskLink: '',
  tskSpare1: 0,
};

function direntOf(
  details: ExtDetails,
  fileSystem: FileSystem,
  path: string,
  { inode, type, deleted }: Omit<StoredName, 'name'>,
): Dirent {
  const remains: InodeRemains | undefined = inode === 0 ? undefined : details.remains(inode);
  const reused = deleted && details.isInodeInUse(inode) ? flags.reallocated : 0;
  const nothing = { seconds: 0, nanoseconds: 0 };
  const { accessed = nothing, modified = nothing, changed = nothing } = remains ?? {};
  // The Sleuth Kit reports creation times for ext4 only, although inodes of the others may have room for them.
  const created = (fileSystem.type === 'ext4' ? remains?.created : undefined) ?? nothing;
  return {
    tskInode: inode,
    tskType: direntLetters[type],
    tskSize: remains?.sizeInBytes ?? -1,
    tskName: path,
    tskFlags: deleted ? reused : flags.allocated,
    tskAtimeSec: accessed.seconds,
    tskAtimeNsec: accessed.nanoseconds,
    tskMtimeSec: modified.seconds,
    tskMtimeNsec: modified.nanoseconds,
    tskCtimeSec: changed.seconds,
    tskCtimeNsec: changed.nanoseconds,
    tskCrtimeSec: created.seconds,
    tskCrtimeNsec: created.nanoseconds,
    tskNlink: remains?.linkCount ?? -1,
    tskLink: typeOfMode(remains?.mode ?? 0) === 'symlink' ? targetOf(details, inode) : '',
    tskSpare1: 0,
  };
}

/** The name with its type, which old filesystems store in the inode alone. */
function typed(details: ExtDetails, name: StoredName): StoredName {
  if (name.type !== 'unknown' || name.inode === 0) return name;
  return { ...name, type: typeOfMode(details.remains(name.inode).mode) };
}

/**
 * The names of a directory. Damaged entries are left out. This is reported unless the directory is deleted: it may be
 * partly overwritten, so every readable entry is a gain.
 */
function* namesOf(
  call: Call,
  details: ExtDetails,
  path: string,
  { inode, deleted }: Omit<StoredName, 'name'>,
): Generator<StoredName> {
  const onDamage: OnDamage = deleted ? () => {} : (error) => call.session.damage.leaveOut(error, path);
  try {
    for (const name of details.names(inode, onDamage)) yield typed(details, name);
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown;
    onDamage(thrown);
  }
}

/**
 * Every name of a filesystem for which `keep` is true; the names in a directory come right after it. Paths are
 * relative to the root.
 */
function walkNames(call: Call, mountable: string, keep: (inode: number) => boolean): Dirent[] {
  return withExt(call, mountable, (details, fileSystem) => {
    const { root } = fileSystem;
    const found: Dirent[] = [];
    const tell = (path: string, name: Omit<StoredName, 'name'>): void => {
      if (keep(name.inode)) found.push(direntOf(details, fileSystem, path, name));
    };
    const top = { inode: root, type: 'directory', deleted: false } as const;
    tell('.', top);
    const visited = new Set<number>([root]);
    const open = [{ prefix: '', names: namesOf(call, details, '.', top) }];
    for (let told = 0; ; ) {
      const here = open.at(-1);
      if (here === undefined) break;
      const next = here.names.next();
      if (next.done === true) {
        open.pop();
        continue;
      }
      call.progress(told++, 0);
      const entry = next.value;
      const path = here.prefix + entry.name;
      tell(path, entry);
      if (entry.type !== 'directory' || visited.has(entry.inode)) continue;
      if (!entry.deleted && typeOfMode(details.remains(entry.inode).mode) !== 'directory') continue; // the entry lies
      // If the inode of a deleted directory is in use, it is no directory of that name any more.
      if (entry.deleted && (entry.inode === 0 || details.isInodeInUse(entry.inode))) continue;
      if (open.length >= deepest) throw new CorruptError('directories', 'lie too deep', { limit: deepest });
      visited.add(entry.inode);
      open.push({ prefix: `${path}/`, names: namesOf(call, details, path, entry) });
    }
    const orphans = details.inodeCount + 1;
    if (keep(orphans)) found.push({ ...blank, tskInode: orphans, tskName: '$OrphanFiles', tskFlags: 1 });
    return found;
  });
}

/** Blocks `first` to `last`, all of them or only those that are free. */
function downloadBlocks(
  call: Call,
  mountable: string,
  [first, last]: readonly [number, number],
  onlyFree: boolean,
  sink: FileOutSink,
): void {
  if (first < 0) throw new GuestfsError('EINVAL', `${first}: the first block must not be negative`);
  if (last < first) throw new GuestfsError('EINVAL', `${last}: the last block must not be before the first`);
  withExt(call, mountable, (details) => {
    const { blockSize, blockCount } = details;
    const { disk } = call.session.devices.parseMountable(mountable).device;
    const end = Math.min(last + 1, blockCount);
    const total = Math.max(0, end - first);
    const wanted = (block: number): boolean => !onlyFree || !details.isBlockInUse(block);
    for (let from = first; from < end; ) {
      call.progress(from - first, total);
      let to = from;
      const bound = Math.min(end, from + 65536); // so that cancelling is heard in a long run
      while (to < bound && wanted(to)) to++;
      const length = (to - from) * blockSize;
      if (length > 0)
        move(call, disk, sink, {
          offset: from * blockSize,
          length,
          progress: (moved) => call.progress(from - first + moved / blockSize, total),
        });
      from = to;
      while (from < Math.min(end, to + 65536) && !wanted(from)) from++;
    }
  });
}

export const forensicsHandlers = {
  filesystem_walk: (call, mountable) => walkNames(call, mountable, () => true),
  find_inode(call, mountable, wanted) {
    if (wanted < 0) throw new GuestfsError('EINVAL', `${wanted}: there are no negative inode numbers`);
    return walkNames(call, mountable, (inode) => inode === wanted);
  },
  /** A file by its inode number, of a filesystem that need not be mounted; in ext also a deleted file. */
  download_inode: (call, mountable, inode, sink) =>
    withFileSystem(call, mountable, (fileSystem) => {
      const details = extDetails(fileSystem);
      // An inode that was never in use has no contents, which is no damage.
      if (details !== undefined && inode > 0 && details.remains(inode).mode === 0) return;
      move(call, details?.bytes(inode) ?? fileSystem.data(inode), sink);
    }),
  download_blocks: (call, mountable, start, stop, sink, { unallocated = false }) =>
    downloadBlocks(call, mountable, [start, stop], unallocated, sink),
} satisfies TopicHandlers;
