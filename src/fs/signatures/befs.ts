/**
 * BeOS's filesystem ("Practical File System Design with the Be File System", 4 to 6). Its identifier is an attribute
 * of the root directory: beside the root's inode, or in a directory of attributes, which is a B+tree. In its
 * machine's byte order.
 */
import { compareBytes, encodeText } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { ascii, type Found, label, part, signature, viewMaybe } from './signature.js';

/** The superblock lies at the start, or behind a boot sector. */
const superblockOffsets = [0, 512];
const magic1 = 0x42465331;
const magic2 = 0xdd121031;
const magic3 = 0x15b6830e;
const byteOrderMark = 0x42494745;
const inodeMagic = 0x3bbe0ad9;
const treeMagic = 0x69f6c2e8;
const uint64Type = 0x554c4c47;
const inodeHeader = 232;
const dataStreamAt = 72;
const identifierName = 'be:volume_id';
const noLink = 0xffffffffffffffffn;
/** Nodes from the root of a tree to a leaf. */
const maxDepth = 32;
/** The largest run of blocks that is read, in bytes. */
const maxRun = 1024 * 1024;

/** A volume, whose numbers are read in its own byte order. */
class Volume {
  constructor(
    readonly disk: Disk,
    readonly little: boolean,
    readonly blockShift: number,
    readonly groupShift: number,
  ) {}

  /** The bytes of a run of blocks: a group, the first block in it, a count. */
  run(view: DataView, at: number): DataView | undefined {
    const length = view.getUint16(at + 6, this.little) * 2 ** this.blockShift;
    return length > maxRun ? undefined : viewMaybe(this.disk, this.#start(view, at), length);
  }

  #start(view: DataView, at: number): number {
    const block =
      view.getUint32(at, this.little) * 2 ** this.groupShift + view.getUint16(at + 4, this.little);
    return block * 2 ** this.blockShift;
  }

  inode(view: DataView | undefined): DataView | undefined {
    return view !== undefined &&
      view.byteLength >= inodeHeader &&
      view.getUint32(0, this.little) === inodeMagic
      ? view
      : undefined;
  }

  /** The bytes of an inode's contents, as far as one of its direct runs has them. */
  contents(inode: DataView, offset: number, length: number): DataView | undefined {
    let start = offset;
    for (let i = 0; i < 12; i++) {
      const at = dataStreamAt + i * 8;
      const size = inode.getUint16(at + 6, this.little) * 2 ** this.blockShift;
      if (start < size) {
        return start + length > size
          ? undefined
          : viewMaybe(this.disk, this.#start(inode, at) + start, length);
      }
      start -= size;
    }
    return undefined;
  }
}

/** The identifier among the small attributes behind an inode. */
function smallIdentifier({ little }: Volume, inode: DataView): bigint | undefined {
  const end = Math.min(inode.byteLength, inodeHeader + inode.getUint32(64, little));
  for (let at = inodeHeader; at + 8 <= end; ) {
    const type = inode.getUint32(at, little);
    const nameSize = inode.getUint16(at + 4, little);
    const dataSize = inode.getUint16(at + 6, little);
    const next = at + 8 + nameSize + 3 + dataSize + 1;
    if (next > end || (type === 0 && nameSize === 0 && dataSize === 0)) return undefined;
    if (type === uint64Type && dataSize === 8 && ascii(inode, at + 8, nameSize) === identifierName)
      return inode.getBigUint64(at + 8 + nameSize + 3, little);
    at = next;
  }
  return undefined;
}

/** The value of a name in a directory's tree: an inode number, which is its block. */
function findName(volume: Volume, directory: DataView, name: string): bigint | undefined {
  const { little } = volume;
  const header = volume.contents(directory, 0, 40);
  if (header === undefined || header.getUint32(0, little) !== treeMagic) return undefined;
  const nodeSize = header.getUint32(4, little);
  if (nodeSize < 28 || nodeSize > maxRun) return undefined;
  let pointer = header.getBigUint64(16, little);
  const wanted = encodeText(name);
  for (let depth = 0; depth < maxDepth && pointer < BigInt(volume.disk.size); depth++) {
    const node = volume.contents(directory, Number(pointer), nodeSize);
    if (node === undefined) return undefined;
    const overflow = node.getBigUint64(16, little);
    const count = node.getUint16(24, little);
    const keysLength = node.getUint16(26, little);
    const lengthsAt = Math.ceil((28 + keysLength) / 8) * 8;
    const valuesAt = lengthsAt + count * 2;
    if (valuesAt + count * 8 > nodeSize) return undefined;
    let next = overflow;
    let start = 0;
    for (let i = 0; i < count; i++) {
      const end = node.getUint16(lengthsAt + i * 2, little);
      if (end < start || end > keysLength) return undefined;
      const order = compareBytes(wanted, part(node, 28 + start, end - start));
      if (order <= 0) {
        next = node.getBigUint64(valuesAt + i * 8, little);
        // A leaf has no overflow link; its values are the answers.
        if (overflow === noLink) return order === 0 ? next : undefined;
        break;
      }
      start = end;
    }
    if (overflow === noLink) return undefined;
    pointer = next;
  }
  return undefined;
}

function identifier(volume: Volume, root: DataView): bigint {
  const small = smallIdentifier(volume, root);
  if (small !== undefined) return small;
  const attributes = volume.inode(volume.run(root, 52));
  const block = attributes && findName(volume, attributes, identifierName);
  if (block === undefined || block > BigInt(volume.disk.size)) return 0n;
  const place = Number(block) * 2 ** volume.blockShift;
  const inode = volume.inode(viewMaybe(volume.disk, place, 2 ** volume.blockShift));
  if (inode === undefined || inode.getUint32(60, volume.little) !== uint64Type) return 0n;
  return volume.contents(inode, 0, 8)?.getBigUint64(0, volume.little) ?? 0n;
}

function probeBefs(disk: Disk): Found | undefined {
  for (const offset of superblockOffsets) {
    const view = viewMaybe(disk, offset, 132);
    if (view === undefined) return undefined;
    const little = view.getUint32(32, true) === magic1;
    if (!little && view.getUint32(32) !== magic1) continue;
    const number = (at: number) => view.getUint32(at, little);
    if (number(68) !== magic2 || number(112) !== magic3 || number(36) !== byteOrderMark) return undefined;
    const blockShift = number(44);
    if (blockShift < 10 || blockShift > 13 || number(40) !== 2 ** blockShift || number(76) > 31)
      return undefined;
    const volume = new Volume(disk, little, blockShift, number(76));
    const root = volume.inode(volume.run(view, 116));
    if (root === undefined) return undefined;
    const id = identifier(volume, root);
    return {
      label: label(view, 0, 32),
      uuid: id === 0n ? '' : id.toString(16).padStart(16, '0'),
      facts: {
        VERSION: little ? 'little-endian' : 'big-endian',
        BLOCK_SIZE: String(2 ** blockShift),
      },
    };
  }
  return undefined;
}

export const befs = signature('befs', probeBefs, { minimumSize: 1440 * 1024 });
