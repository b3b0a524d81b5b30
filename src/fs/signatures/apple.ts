/**
 * Recognises filesystems of the Macintosh: HFS ("Inside Macintosh: Files", 2), HFS+ (Apple's TN1150; it may lie
 * inside an HFS volume) and APFS ("Apple File System Reference"). The first two are big-endian.
 */
import { decodeHex, formatUuid } from '../../base/index.js';
import { type Disk, platform } from '../../disk/index.js';
import { ascii, type Found, label, label16, part, signature, uuid, viewMaybe } from './signature.js';

const headerOffset = 1024;

/** The namespace for UUIDs from a volume's 64-bit identifier. */
const uuidNamespace = decodeHex('b3e20f39f29211d697a400306543ecac');

/** A volume's identifier (8 bytes of its Finder information) as a UUID of version 3; empty where it is zero. */
function identifierUuid(identifier: Uint8Array): string {
  if (identifier.every((byte) => byte === 0)) return '';
  const hash = platform().hash('md5');
  hash.update(uuidNamespace);
  hash.update(identifier);
  const digest = hash.digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x30;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  return formatUuid(digest);
}

function readMdb(disk: Disk): DataView | undefined {
  const view = viewMaybe(disk, headerOffset, 162);
  return view !== undefined && ascii(view, 0, 2) === 'BD' ? view : undefined;
}

function probeHfs(disk: Disk): Found | undefined {
  const view = readMdb(disk);
  if (view === undefined) return undefined;
  const embedded = ascii(view, 124, 2);
  if (embedded === 'H+' || embedded === 'HX') return undefined;
  const blockSize = view.getUint32(20);
  if (blockSize === 0 || blockSize % 512 !== 0) return undefined;
  return {
    label: label(view, 37, Math.min(27, view.getUint8(36))),
    uuid: identifierUuid(part(view, 116, 8)),
  };
}

function probeHfsPlus(disk: Disk): Found | undefined {
  const wrapper = readMdb(disk);
  let start = 0;
  if (wrapper !== undefined) {
    // Embedded: from the first allocation block's sector, so many allocation blocks on.
    start = wrapper.getUint16(28) * 512 + wrapper.getUint16(126) * wrapper.getUint32(20);
  }
  const view = viewMaybe(disk, start + headerOffset, 512);
  if (view === undefined || !['H+', 'HX'].includes(ascii(view, 0, 2))) return undefined;
  const blockSize = view.getUint32(40);
  if (blockSize < 512) return undefined;
  return {
    label: catalogName(disk, start, view, blockSize),
    uuid: identifierUuid(part(view, 104, 8)),
    facts: { BLOCK_SIZE: String(blockSize) },
  };
}

const maxExtents = 8;

/**
 * The root folder's name: the key of the first record in the catalog's first leaf, whose parent is number 1. The leaf
 * is searched in the catalog's extents in the header.
 */
function catalogName(disk: Disk, start: number, header: DataView, blockSize: number): string {
  const tree = viewMaybe(disk, start + header.getUint32(288) * blockSize, 0x2000);
  if (tree === undefined) return '';
  const nodeSize = tree.getUint16(32);
  if (nodeSize < 512 || tree.getUint32(20) === 0) return '';
  let block = Math.floor((tree.getUint32(24) * nodeSize) / blockSize);
  for (let extent = 0; extent < maxExtents; extent++) {
    const count = header.getUint32(288 + extent * 8 + 4);
    if (count === 0) return '';
    if (block >= count) {
      block -= count;
      continue;
    }
    const node = viewMaybe(disk, start + (header.getUint32(288 + extent * 8) + block) * blockSize, nodeSize);
    // A node of kind −1 is a leaf; its first record follows its descriptor.
    if (node === undefined || node.getInt8(8) !== -1 || node.getUint16(10) === 0) return '';
    const units = node.getUint16(20);
    if (node.getUint32(16) !== 1 || units > 255 || 22 + units * 2 > nodeSize) return '';
    return label16(node, 22, units, false);
  }
  return '';
}

const containerBlockSize = 4096;

function probeApfs(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 128);
  if (view === undefined || ascii(view, 32, 4) !== 'NXSB') return undefined;
  // A container's superblock is object 1, of type 1 and no subtype.
  if (view.getUint16(24, true) !== 1 || view.getUint32(28, true) !== 0) return undefined;
  if (view.getUint32(36, true) !== containerBlockSize) return undefined;
  return { uuid: uuid(view, 72), facts: { BLOCK_SIZE: String(view.getUint32(36, true)) } };
}

export const apple = [
  signature('hfsplus', probeHfsPlus),
  signature('hfs', probeHfs, { tolerant: true }),
  signature('apfs', probeApfs, { beyondLinux: true }),
];
