/** The header of a VDI, with checks. */
import { CorruptError, formatGuid, isPowerOfTwo, readUpTo, UnsupportedError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { header, imageType, limits, mapEntry, sectorSize, signature, version } from './layout.js';

/** What the header says. */
export interface Header {
  readonly kind: 'dynamic' | 'static' | 'differencing';
  /** Of the guest's disk; a multiple of 512, as qemu rounds it. */
  readonly sizeInBytes: number;
  readonly blockSize: number;
  /** Bytes in front of each block. */
  readonly blockExtra: number;
  readonly mapOffset: number;
  readonly dataOffset: number;
  readonly creator: string;
  readonly comment: string;
  readonly uuid: string;
  readonly modifyUuid: string;
  /** Of a difference. `modifyUuid`: undefined where the image does not say which state of the parent it is over. */
  readonly parent: { readonly uuid: string; readonly modifyUuid: string | undefined } | undefined;
}

const structure = 'VDI header';
const noUuid = '00000000-0000-0000-0000-000000000000';

const kinds: ReadonlyMap<number, Header['kind']> = new Map([
  [imageType.dynamic, 'dynamic'],
  [imageType.static, 'static'],
  [imageType.differencing, 'differencing'],
]);

/** A UUID as VirtualBox writes it. */
const uuidOf = (bytes: Uint8Array): string => formatGuid(bytes).toLowerCase();

export function readHeader(file: Disk): Header {
  const fields = header.decode(readUpTo(file, 0, header.size));
  if (fields.signature !== signature) throw new CorruptError(structure, 'has no VDI signature');
  if (fields.version !== version) {
    const { version: found } = fields;
    throw new UnsupportedError('VDI image', [`version ${Math.floor(found / 0x1_0000)}.${found % 0x1_0000}`]);
  }
  const kind = kinds.get(fields.image_type);
  if (kind === undefined) throw new UnsupportedError('VDI image', [`image type ${fields.image_type}`]);
  const { block_size: blockSize, block_extra: blockExtra, blocks_in_image: count } = fields;
  const { offset_blocks: mapOffset, offset_data: dataOffset } = fields;
  if (!isPowerOfTwo(blockSize) || blockSize < sectorSize || blockSize > limits.blockMost) {
    throw new CorruptError(structure, 'has an impossible block size', { blockSize });
  }
  if (fields.sector_size !== sectorSize) {
    throw new UnsupportedError('VDI image', [`sectors of ${fields.sector_size} bytes`]);
  }
  if (blockExtra % sectorSize !== 0 || mapOffset % mapEntry.size !== 0) {
    throw new CorruptError(structure, 'has parts that are not aligned', { blockExtra, mapOffset });
  }
  const sizeInBytes = Math.ceil(fields.disk_size / sectorSize) * sectorSize;
  if (sizeInBytes > count * blockSize) {
    throw new CorruptError(structure, 'has a map that is too small for the disk', {
      blocks: count,
      blockSize,
    });
  }
  const linkage = uuidOf(fields.uuid_linkage);
  const parentModify = uuidOf(fields.uuid_parent_modify);
  return {
    kind,
    sizeInBytes,
    blockSize,
    blockExtra,
    mapOffset,
    dataOffset,
    creator: fields.file_info.replace(/^<<< | >>>\n?$/g, ''),
    comment: fields.comment,
    uuid: uuidOf(fields.uuid_create),
    modifyUuid: uuidOf(fields.uuid_modify),
    parent:
      kind === 'differencing'
        ? { uuid: linkage, modifyUuid: parentModify === noUuid ? undefined : parentModify }
        : undefined,
  };
}
