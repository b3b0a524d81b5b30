/** Inodes, of all seven kinds, basic and extended. */
import { CorruptError, decodeText, type ModeType, modeTypes, work } from '../../base/index.js';
import {
  baseInode,
  blockLengthSize,
  devInode,
  dirIndex,
  dirInode,
  dotsSize,
  extendedTypes,
  inodeTypes,
  ipcInode,
  ldirInode,
  lregInode,
  permissionBits,
  regInode,
  SQUASHFS_INVALID_FRAG,
  SQUASHFS_INVALID_XATTR,
  symlinkInode,
  xattrIndex,
} from './layout.js';
import type { MetadataCursor } from './metadata.js';

/** The longest target of a symbolic link. */
const maxTarget = 65_536;

/** Where a directory's entries lie. */
export interface DirectoryPlace {
  /** From the start of the table of directories. */
  readonly block: number;
  readonly offset: number;
  /** Bytes of its entries. */
  readonly size: number;
  readonly parentNumber: number;
  /** How many indexes follow, and where. */
  readonly indexCount: number;
  readonly indexes: { readonly block: number; readonly offset: number };
}

/** Where a file's bytes lie. */
export interface FilePlace {
  readonly start: number;
  /** The fragment that has its tail; undefined where the last block is one of its own. */
  readonly fragment: { readonly index: number; readonly offset: number } | undefined;
  /** Bytes in blocks that are not stored. */
  readonly sparse: number;
  /** Where the lengths of its blocks begin. */
  readonly lengths: { readonly block: number; readonly offset: number };
}

export interface Inode {
  readonly number: number;
  readonly type: ModeType;
  readonly mode: number;
  /** Indexes of the table of owners. */
  readonly uidIndex: number;
  readonly gidIndex: number;
  readonly mtime: number;
  readonly linkCount: number;
  readonly size: number;
  readonly device: number;
  readonly target: string | undefined;
  readonly directory: DirectoryPlace | undefined;
  readonly file: FilePlace | undefined;
  readonly xattrIndex: number | undefined;
}

/** What the kinds differ in; what is not there is 0 or undefined. */
type Own = Partial<Pick<Inode, 'size' | 'device' | 'target' | 'directory' | 'file'>> & {
  readonly linkCount: number;
  readonly xattr: number;
};

const types: readonly (ModeType | undefined)[] = [
  undefined,
  'directory',
  'file',
  'symlink',
  'block',
  'character',
  'fifo',
  'socket',
];

/** The file type of a directory's entry or of an inode; undefined for a number that is none. */
export function typeOfNumber(number: number): ModeType | undefined {
  return types[number > extendedTypes ? number - extendedTypes : number];
}

/** Reads the inode at a place. */
export function readInode(cursor: MetadataCursor): Inode {
  const base = cursor.decode(baseInode);
  const { inode_type: kind, inode_number: number } = base;
  const type = typeOfNumber(kind);
  if (type === undefined || kind > 2 * extendedTypes)
    throw new CorruptError('squashfs inode', 'is of no kind', { kind, number });
  if (number === 0) throw new CorruptError('squashfs inode', 'has no number', { kind });
  const own = readOwn(cursor, kind);
  return {
    number,
    type,
    mode: modeTypes[type] | (base.mode & permissionBits),
    uidIndex: base.uid,
    gidIndex: base.guid,
    mtime: base.mtime,
    linkCount: own.linkCount,
    size: own.size ?? 0,
    device: own.device ?? 0,
    target: own.target,
    directory: own.directory,
    file: own.file,
    xattrIndex: own.xattr === SQUASHFS_INVALID_XATTR ? undefined : own.xattr,
  };
}

function readOwn(cursor: MetadataCursor, kind: number): Own {
  const isExtended = kind > extendedTypes;
  switch (isExtended ? kind - extendedTypes : kind) {
    case inodeTypes.SQUASHFS_DIR_TYPE:
      return isExtended ? readLongDirectory(cursor) : readDirectory(cursor);
    case inodeTypes.SQUASHFS_REG_TYPE:
      return isExtended ? readLongFile(cursor) : readFile(cursor);
    case inodeTypes.SQUASHFS_SYMLINK_TYPE: {
      const { nlink, symlink_size: size } = cursor.decode(symlinkInode);
      if (size === 0 || size > maxTarget)
        throw new CorruptError('squashfs symbolic link', 'has an impossible length', { size });
      const target = decodeText(cursor.take(size));
      return { linkCount: nlink, size, target, xattr: readXattrIndex(cursor, isExtended) };
    }
    case inodeTypes.SQUASHFS_BLKDEV_TYPE:
    case inodeTypes.SQUASHFS_CHRDEV_TYPE: {
      const { nlink, rdev: device } = cursor.decode(devInode);
      return { linkCount: nlink, device, xattr: readXattrIndex(cursor, isExtended) };
    }
    default: {
      const { nlink } = cursor.decode(ipcInode);
      return { linkCount: nlink, xattr: readXattrIndex(cursor, isExtended) };
    }
  }
}

function readXattrIndex(cursor: MetadataCursor, isExtended: boolean): number {
  return isExtended ? cursor.decode(xattrIndex).xattr : SQUASHFS_INVALID_XATTR;
}

function readDirectory(cursor: MetadataCursor): Own {
  const { start_block, nlink, file_size, offset, parent_inode } = cursor.decode(dirInode);
  return {
    linkCount: nlink,
    size: file_size,
    directory: {
      block: start_block,
      offset,
      size: Math.max(0, file_size - dotsSize),
      parentNumber: parent_inode,
      indexCount: 0,
      indexes: cursor.place,
    },
    xattr: SQUASHFS_INVALID_XATTR,
  };
}

function readLongDirectory(cursor: MetadataCursor): Own {
  const { nlink, file_size, start_block, parent_inode, i_count, offset, xattr } = cursor.decode(ldirInode);
  return {
    linkCount: nlink,
    size: file_size,
    directory: {
      block: start_block,
      offset,
      size: Math.max(0, file_size - dotsSize),
      parentNumber: parent_inode,
      indexCount: i_count,
      indexes: cursor.place,
    },
    xattr,
  };
}

const fragmentOf = (index: number, offset: number): FilePlace['fragment'] =>
  index === SQUASHFS_INVALID_FRAG ? undefined : { index, offset };

function readFile(cursor: MetadataCursor): Own {
  const { start_block: start, fragment, offset, file_size: size } = cursor.decode(regInode);
  return {
    linkCount: 1,
    size,
    file: { start, fragment: fragmentOf(fragment, offset), sparse: 0, lengths: cursor.place },
    xattr: SQUASHFS_INVALID_XATTR,
  };
}

function readLongFile(cursor: MetadataCursor): Own {
  const { start_block, file_size, sparse, nlink, fragment, offset, xattr } = cursor.decode(lregInode);
  return {
    linkCount: nlink,
    size: file_size,
    file: { start: start_block, fragment: fragmentOf(fragment, offset), sparse, lengths: cursor.place },
    xattr,
  };
}

/** Passes over what stands behind an inode: the lengths of a file's blocks, or the indexes of a directory. */
export function skipInode(cursor: MetadataCursor, { file, size, directory }: Inode, blockSize: number): void {
  if (file !== undefined) {
    const blockCount = file.fragment ? Math.floor(size / blockSize) : Math.ceil(size / blockSize);
    cursor.skip(blockCount * blockLengthSize);
  }
  for (let left = directory?.indexCount ?? 0; left > 0; left--) {
    work.entries.spend(1);
    cursor.skip(cursor.decode(dirIndex).size + 1);
  }
}
