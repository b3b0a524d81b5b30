/**
 * A new image with a filesystem that holds what directories and archives of the host hold. Nothing in it comes from the
 * clock or from chance: the identifiers are made of a digest of the content, so that the same content is the same image.
 */
import type { FilesystemRequest, MadeFilesystem } from '../../../api/index.js';
import { encodeHex, encodeText, formatGuid, formatUuid, UnsupportedError } from '../../../base/index.js';
import { type Disk, platform, SliceDisk } from '../../../disk/index.js';
import { fileSystems, fitExt, planExt, type Time } from '../../../fs/index.js';
import { newPartitionTable } from '../../../partition/index.js';
import { ContentTree, fillFileSystem } from '../../../vfs/index.js';
import { resolveAccessLists } from '../../host/contents/access-lists.js';
import { extRoom } from '../../host/contents/ext-room.js';
import { contentBlock, copyContents, type Measured, measure } from '../../host/contents/measure.js';
import { addSource } from '../../host/contents/sources.js';
import { withNewImage } from '../../host/new-image.js';
import type { Call } from '../../thread/call.js';

/** To be raised with every change after which the same content gives other bytes. */
const layoutVersion = 1;
/** One inode more for so many bytes that are to be free, as mke2fs has them. */
const bytesPerInode = 16384;
const latestTime = 0xffff_ffff;

/** What is about to be made. */
interface Plan {
  readonly sizeInBytes: number;
  readonly uuid: string;
  /** Fills a blank disk of that size. */
  write(disk: Disk): void;
}

/** Sixteen bytes that follow from the content, for one purpose. */
function derived(digest: Uint8Array, purpose: string): Uint8Array {
  const hash = platform().hash('sha256');
  hash.update(digest);
  hash.update(encodeText(`guestfs filesystem ${layoutVersion} ${purpose}`));
  return hash.digest().slice(0, 16);
}

/** The same as a UUID of version 8 (RFC 9562). */
function derivedUuid(digest: Uint8Array, purpose: string): Uint8Array {
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
function fill(call: Call, disk: Disk, type: string, tree: ContentTree, time: number): void {
  const open = fileSystems.find(({ types }) => types.includes(type))?.open;
  if (open === undefined) throw new UnsupportedError('making a filesystem', [`the type ${type}`]);
  let clock: Time = tree.root.facts.modified;
  const fileSystem = open(disk, {
    overlay: (below) => below,
    readonly: false,
    isNew: true,
    now: () => clock,
  });
  try {
    fillFileSystem(fileSystem, tree, {
      setClock: (time) => {
        call.checkpoint();
        clock = time;
      },
      copy: (node, _, into) => copyContents(call, node, (bytes, at) => into.write(bytes, at)),
      leaveOut: (path, attribute, why) =>
        call.session.warn(`${path}: made without ${attribute}: ${why.message}`, 'attributes left out'),
    });
  } finally {
    clock = { seconds: time, nanoseconds: 0 };
    fileSystem.close();
  }
}

function planExtWith(call: Call, tree: ContentTree, measured: Measured, request: FilesystemRequest): Plan {
  const { type, label, freeInBytes } = request;
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
    write(disk) {
      planExt(disk, options)();
      fill(call, disk, type, tree, options.time);
    },
  };
}

/** Where a partition begins, and what a GPT has behind it at least; disks are a multiple of it long. In bytes. */
const alignment = 1024 * 1024;
const sectorSize = 512;

/** Bytes of the disk on which a filesystem of a size lies. */
function diskSize(sizeInBytes: number, { partition }: FilesystemRequest): number {
  if (partition === undefined) return sizeInBytes;
  const end = Math.ceil((alignment + sizeInBytes) / alignment) * alignment;
  return partition === 'gpt' ? end + alignment : end;
}

/** The part of a blank disk that the filesystem gets: all of it, or the only partition of a new table. */
function partitioned(
  disk: Disk,
  sizeInBytes: number,
  { partition }: FilesystemRequest,
  digest: Uint8Array,
): Disk {
  if (partition === undefined) return disk;
  const scheme = partition === 'gpt' ? 'gpt' : 'msdos';
  const table = newPartitionTable(disk, sectorSize, scheme, derivedUuid(digest, 'disk'));
  const first = alignment / sectorSize;
  const number = table.add({ kind: 'primary', first, last: first + sizeInBytes / sectorSize - 1 });
  if (table.scheme === 'gpt') table.setGuid(number, formatGuid(derivedUuid(digest, 'partition')));
  table.write();
  return new SliceDisk(disk, alignment, sizeInBytes);
}

export function makeFilesystem(call: Call, given: string): MadeFilesystem {
  const request = JSON.parse(given) as FilesystemRequest; // safe: the handle's own method made it
  const tree = new ContentTree();
  const open: Disk[] = [];
  try {
    for (const source of request.sources) addSource(call, tree, source, open);
    resolveAccessLists(tree);
    const measured = measure(call, tree);
    const plan = planExtWith(call, tree, measured, request);
    const sizeInBytes = diskSize(plan.sizeInBytes, request);
    withNewImage(call, request, sizeInBytes, (disk) => {
      const part = partitioned(disk, plan.sizeInBytes, request, measured.digest);
      plan.write(part);
    });
    return {
      sizeInBytes,
      uuid: plan.uuid,
      digest: encodeHex(measured.digest),
      layoutVersion,
      entries: measured.entries.length,
    };
  } finally {
    for (const disk of open) disk.close();
  }
}
