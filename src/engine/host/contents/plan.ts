/**
 * A filesystem that holds a tree, planned before anything is written: its size is what the tree takes, and its
 * identifiers are made of a digest of the tree, so that the same tree is the same filesystem.
 */
import type { NewFilesystemType } from '../../../api/index.js';
import { encodeText, formatUuid, UnsupportedError, viewOf } from '../../../base/index.js';
import { type Disk, platform } from '../../../disk/index.js';
import { fileSystems, fitExt, fitFat, planExt, planFat, type Time } from '../../../fs/index.js';
import { type ContentTree, fillFileSystem } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import { extRoom } from './ext-room.js';
import { fatRoom } from './fat-room.js';
import { ContentCopier, contentBlock, type Measured } from './measure.js';

/** To be raised with every change after which the same content gives other bytes. */
export const layoutVersion = 1;
/** One inode more for so many bytes that are to be free, as mke2fs has them. */
const bytesPerInode = 16384;
const latestTime = 0xffff_ffff;
const sectorSize = 512;

/** What is wanted of a filesystem beside its content. */
export interface FilesystemWish {
  readonly type: NewFilesystemType;
  readonly label?: string | undefined;
  /** How much is to be free, in bytes. */
  readonly freeInBytes: number;
  /** For a partition that is to be FAT32, and how large it is at least. */
  readonly efiInBytes?: number;
}

/** What is about to be made. */
export interface FilesystemPlan {
  readonly sizeInBytes: number;
  readonly uuid: string;
  /** Fills a blank disk of that size, which begins at a place of another one, in bytes. */
  fill(disk: Disk, start: number): void;
}

/** Sixteen bytes that follow from a digest, for one purpose. */
function derived(digest: Uint8Array, purpose: string): Uint8Array {
  const hash = platform().hash('sha256');
  hash.update(digest);
  hash.update(encodeText(`guestfs filesystem ${layoutVersion} ${purpose}`));
  return hash.digest().slice(0, 16);
}

/** The same as a UUID of version 8 (RFC 9562). */
export function derivedUuid(digest: Uint8Array, purpose: string): Uint8Array {
  const uuid = derived(digest, purpose);
  uuid[6] = ((uuid[6] ?? 0) % 0x10) + 0x80;
  uuid[8] = ((uuid[8] ?? 0) % 0x40) + 0x80;
  return uuid;
}

/** The time of the newest entry, in seconds. */
function newestTime(tree: ContentTree, { entries }: Measured): number {
  let newest = tree.root.facts.modified.seconds;
  for (const { node } of entries) newest = Math.max(newest, node.facts.modified.seconds);
  return Math.min(Math.max(newest, 0), latestTime);
}

/** `time`: when all of it was made, in seconds. */
function fillVolume(call: Call, disk: Disk, type: string, tree: ContentTree, time: number): void {
  const open = fileSystems.find(({ types }) => types.includes(type))?.open;
  if (open === undefined) throw new UnsupportedError('making a filesystem', [`the type ${type}`]);
  let clock: Time = tree.root.facts.modified;
  const fileSystem = open(disk, {
    overlay: (below) => below,
    readonly: false,
    isNew: true,
    now: () => clock,
  });
  const copier = new ContentCopier(call);
  try {
    fillFileSystem(fileSystem, tree, {
      setClock: (time) => {
        call.checkpoint();
        clock = time;
      },
      copy: (node, _, into) => copier.copy(node, (bytes, at) => into.write(bytes, at)),
      leaveOut: (path, attribute, why) =>
        call.session.warn(`${path}: made without ${attribute}: ${why.message}`, 'attributes left out'),
    });
  } finally {
    clock = { seconds: time, nanoseconds: 0 };
    fileSystem.close();
  }
}

function planExtWith(
  call: Call,
  tree: ContentTree,
  measured: Measured,
  type: 'ext2' | 'ext3' | 'ext4',
  { label, freeInBytes }: FilesystemWish,
): FilesystemPlan {
  const { blocks, inodes } = extRoom(tree, measured, type === 'ext4');
  const uuid = derivedUuid(measured.digest, 'uuid');
  const options = fitExt(
    {
      type,
      blank: true,
      blockSize: contentBlock,
      inodeSize: 256,
      reservedPercent: 0,
      uuid,
      hashSeed: derivedUuid(measured.digest, 'hash seed'),
      time: newestTime(tree, measured),
      ...(label === undefined ? {} : { label }),
    },
    {
      blocks: blocks + Math.ceil(freeInBytes / contentBlock),
      inodes: inodes + Math.floor(freeInBytes / bytesPerInode),
    },
  );
  return {
    sizeInBytes: options.blockCount * contentBlock,
    uuid: formatUuid(uuid),
    fill(disk) {
      planExt(disk, options)();
      fillVolume(call, disk, type, tree, options.time);
    },
  };
}

function planFatWith(
  call: Call,
  tree: ContentTree,
  measured: Measured,
  { label, freeInBytes, efiInBytes }: FilesystemWish,
): FilesystemPlan {
  const room = fatRoom(tree, measured, { freeInBytes, hasLabel: label !== undefined });
  const bits = efiInBytes === undefined ? {} : { bits: 32 as const, leastInBytes: efiInBytes };
  const { sizeInBytes, ...shape } = fitFat(bits, room);
  const at = 0;
  const serial = viewOf(derived(measured.digest, 'serial')).getUint32(at);
  const digits = serial.toString(16).toUpperCase().padStart(8, '0');
  const time = newestTime(tree, measured);
  return {
    sizeInBytes,
    uuid: `${digits.slice(0, 4)}-${digits.slice(4)}`,
    fill(disk, start) {
      planFat(disk, {
        sectorSize,
        ...shape,
        ...(label === undefined ? {} : { label }),
        serial,
        hiddenSectors: start / sectorSize,
        now: { seconds: time, nanoseconds: 0 },
      })();
      fillVolume(call, disk, 'vfat', tree, time);
    },
  };
}

/** EINVAL for what the type cannot have, EFBIG for more than it can hold. */
export function planFilesystem(
  call: Call,
  tree: ContentTree,
  measured: Measured,
  wish: FilesystemWish,
): FilesystemPlan {
  const { type } = wish;
  return type === 'vfat'
    ? planFatWith(call, tree, measured, wish)
    : planExtWith(call, tree, measured, type, wish);
}
