/** The superblock: found, decoded and checked by the rules of Linux's squashfs_fill_super. */
import { CorruptError, readMaybe, UnsupportedError, viewOf } from '../../base/index.js';
import type { Codec, Disk } from '../../disk/index.js';
import {
  codecs,
  superblock as layout,
  leastBlockLog,
  missingTable,
  SQUASHFS_FILE_MAX_LOG,
  SQUASHFS_MAGIC,
  SQUASHFS_MAJOR,
  SQUASHFS_METADATA_SIZE,
  SQUASHFS_MINOR,
  superblockTables,
} from './layout.js';

const what = 'squashfs superblock';

/** Starts of tables are offsets on the disk; undefined for a table that is not there. */
export interface Superblock {
  readonly codec: Codec;
  readonly blockSize: number;
  readonly blockLog: number;
  readonly inodeCount: number;
  readonly fragmentCount: number;
  readonly idCount: number;
  /** Where the root's inode lies, see {@link placeOf}. */
  readonly rootReference: number;
  readonly sizeInBytes: number;
  readonly inodeTable: number;
  readonly directoryTable: number;
  readonly idTable: number;
  readonly fragmentTable: number | undefined;
  readonly exportTable: number | undefined;
  readonly xattrIdTable: number | undefined;
}

/** A reference to metadata: a block, from the start of its table, and a byte in what the block holds. */
export function placeOf(reference: number): { readonly block: number; readonly offset: number } {
  const offset = reference % 65_536;
  return { block: (reference - offset) / 65_536, offset };
}

/** The inverse of {@link placeOf}. */
export function referenceTo(block: number, offset: number): number {
  return block * 65_536 + offset;
}

/** Reads and checks the superblock. */
export function readSuperblock(disk: Disk): Superblock {
  const raw = readMaybe(disk, 0, layout.size);
  if (raw === undefined) throw new CorruptError(what, 'is cut short', { size: disk.size });
  const fields = layout.decode(raw);
  if (fields.s_magic !== SQUASHFS_MAGIC)
    throw new CorruptError(what, 'is not there', { magic: fields.s_magic });
  if (fields.s_major !== SQUASHFS_MAJOR || fields.s_minor !== SQUASHFS_MINOR)
    throw new UnsupportedError('squashfs', [`version ${fields.s_major}.${fields.s_minor}`]);
  const codec = codecs.get(fields.compression);
  if (codec === undefined) throw new UnsupportedError('squashfs', [`compression ${fields.compression}`]);
  const { block_size: blockSize, block_log: blockLog } = fields;
  if (blockLog < leastBlockLog || blockLog > SQUASHFS_FILE_MAX_LOG || blockSize !== 2 ** blockLog)
    throw new CorruptError(what, 'has an impossible block size', { blockSize, blockLog });
  if (fields.inodes === 0) throw new CorruptError(what, 'has no inodes');
  if (fields.no_ids === 0) throw new CorruptError(what, 'has no owners');

  const view = viewOf(raw);
  /** A place of the filesystem; undefined for all ones. */
  const find = (name: keyof typeof superblockTables, most: number): number | undefined => {
    const value = view.getBigUint64(superblockTables[name], true);
    if (value === missingTable) return undefined;
    if (value > BigInt(most)) throw new CorruptError(what, `has an impossible ${name}`, { value, most });
    return Number(value);
  };
  const get = (name: keyof typeof superblockTables, most: number): number => {
    const value = find(name, most);
    if (value === undefined) throw new CorruptError(what, `has no ${name}`);
    return value;
  };
  const sizeInBytes = get('bytes_used', Number.MAX_SAFE_INTEGER);
  if (sizeInBytes > disk.size)
    throw new CorruptError(what, 'is of a larger filesystem: the disk is cut short', {
      sizeInBytes,
      size: disk.size,
    });
  const rootReference = get('root_inode', Number.MAX_SAFE_INTEGER);
  if (placeOf(rootReference).offset > SQUASHFS_METADATA_SIZE)
    throw new CorruptError(what, 'has a root that is no inode', { rootReference });
  return {
    codec,
    blockSize,
    blockLog,
    inodeCount: fields.inodes,
    fragmentCount: fields.fragments,
    idCount: fields.no_ids,
    rootReference,
    sizeInBytes,
    inodeTable: get('inode_table_start', sizeInBytes),
    directoryTable: get('directory_table_start', sizeInBytes),
    idTable: get('id_table_start', sizeInBytes),
    fragmentTable: find('fragment_table_start', sizeInBytes),
    exportTable: find('lookup_table_start', sizeInBytes),
    xattrIdTable: find('xattr_id_table_start', sizeInBytes),
  };
}
