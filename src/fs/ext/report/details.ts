/** Facts that only ext has, for ext's own actions (`tune2fs_l`, `get_e2attrs`, `get_e2generation`, …). */
import { encodeText, formatUuid } from '../../../base/index.js';
import { type Disk, MemoryDisk } from '../../../disk/index.js';
import type { FileSystem, InodeNumber, OnDamage } from '../../driver.js';
import { isBlockInUse, isInodeInUse } from '../allocation.js';
import { openData } from '../data.js';
import { type InodeRemains, readRemains, type StoredName } from '../directory/deleted.js';
import { Directory } from '../directory/directory.js';
import { ExtFileSystem } from '../filesystem.js';
import { readSymlink } from '../symlink.js';
import { minimumBlockCount } from './shrink.js';
import { tune2fsLines } from './tune2fs.js';

export interface ExtDetails {
  /** The volume's name, as `e2label` prints it. */
  readonly label: string;
  /** The UUID, in lower case. */
  readonly uuid: string;
  /** The keys and values of `tune2fs -l`, in its order; what it prints as `<none>` is `<none>`. */
  superblockFacts(): ReadonlyMap<string, string>;
  /** What `lsattr -v` shows: FS_IOC_GETVERSION. */
  generation(inode: InodeNumber): number;
  /** In bytes. */
  readonly blockSize: number;
  readonly blockCount: number;
  readonly inodeCount: number;
  /** How small `resize2fs -P` estimates the filesystem could be, in blocks. */
  minimumBlockCount(): number;
  /** Whether a block belongs to a file or to the filesystem. */
  isBlockInUse(block: number): boolean;
  /** Whether the inode exists and is a file's. */
  isInodeInUse(inode: InodeNumber): boolean;
  /** The record of an inode, in use or not. CorruptError for an impossible number. */
  remains(inode: InodeNumber): InodeRemains;
  /** The names in a directory with deleted ones; in a deleted directory, all names are deleted. */
  names(directory: InodeNumber, onDamage?: OnDamage): Iterable<StoredName>;
  /** The target of a link, deleted or not. */
  readlink(inode: InodeNumber): string;
  /** The bytes of an inode, deleted or not, whatever its kind. */
  bytes(inode: InodeNumber): Disk;
}

/** The details of a filesystem that this driver opened; undefined for others. */
export function extDetails(fileSystem: FileSystem): ExtDetails | undefined {
  if (!(fileSystem instanceof ExtFileSystem)) return undefined;
  const { volume } = fileSystem;
  const { superblock } = volume;
  return {
    label: superblock.raw.s_volume_name,
    uuid: formatUuid(superblock.raw.s_uuid),
    superblockFacts: () => new Map(tune2fsLines(superblock)),
    generation: (number) => fileSystem.inode(number).generation,
    blockSize: superblock.blockSize,
    blockCount: superblock.blockCount,
    inodeCount: superblock.inodeCount,
    minimumBlockCount: () => minimumBlockCount(volume),
    isBlockInUse: (block) => isBlockInUse(volume, block),
    isInodeInUse: (number) =>
      number >= 1 &&
      number <= superblock.inodeCount &&
      isInodeInUse(volume, number) &&
      readRemains(volume, number).linkCount > 0,
    remains: (number) => readRemains(volume, number),
    *names(number, onDamage) {
      const inode = volume.anyInode(number);
      const isDeleted = inode.stat.linkCount === 0;
      for (const name of new Directory(volume, inode).names(onDamage))
        yield isDeleted ? { ...name, deleted: true } : name;
    },
    readlink: (number) => readSymlink(volume, volume.anyInode(number)),
    bytes(number) {
      const inode = volume.anyInode(number);
      if (inode.kind === 'symlink') return new MemoryDisk(encodeText(readSymlink(volume, inode)));
      const hasBlocks = inode.kind === 'file' || inode.kind === 'directory';
      return hasBlocks ? openData(volume, inode) : new MemoryDisk(new Uint8Array(0));
    },
  };
}
