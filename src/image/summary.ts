/**
 * Facts about an image without reading the guest's disk: its format, its size, and whether it has a backing image.
 * This includes the formats that are only recognised. Sources: qemu's block/vdi.c, qcow.c, qed.h and
 * parallels.c for the offsets of the fields; VMware's Virtual Disk Format 5.0.
 */
import { CorruptError, decodeLatin1, UnsupportedError } from '../base/index.js';
import type { Disk, Origin } from '../disk/index.js';
import { detectFormat } from './formats.js';

export interface ImageSummary {
  /** By qemu's name. */
  readonly format: string;
  /** What the guest sees, in bytes. */
  readonly virtualSizeInBytes: number;
  readonly hasBackingFile: boolean;
}

type Summary = Omit<ImageSummary, 'format'>;

const sectorSize = 512;

/** A reader of a file's header. Every offset is checked against the file's own length. */
class Header {
  readonly #file: Disk;
  readonly #format: string;

  constructor(file: Disk, format: string) {
    this.#file = file;
    this.#format = format;
  }

  get fileSize(): number {
    return this.#file.size;
  }

  view(offset: number, length: number): DataView {
    if (!Number.isSafeInteger(offset) || offset < 0 || length > this.#file.size - offset) {
      throw new CorruptError(`${this.#format} image`, 'ends within its header', {
        offset,
        length,
        size: this.#file.size,
      });
    }
    const bytes = new Uint8Array(length);
    this.#file.read(bytes, offset);
    return new DataView(bytes.buffer);
  }

  text(offset: number, length: number): string {
    return decodeLatin1(new Uint8Array(this.view(offset, length).buffer));
  }

  /** A number that must be exact. */
  number(value: bigint): number {
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new CorruptError(`${this.#format} image`, 'has an impossible size', { value });
    return Number(value);
  }

  bytes(sectors: bigint): number {
    return this.number(sectors * BigInt(sectorSize));
  }
}

/** The longest descriptor that is read. VMware's own have a few hundred bytes. */
const descriptorLimit = 64 * 1024;

function descriptorParent(text: string): boolean {
  return /^parentFileNameHint\s*=/m.test(text);
}

/** Extents are lines `RW 2048 SPARSE "name"`, their lengths in sectors. */
function vmdkDescriptor(text: string, header: Header): Summary {
  let sectors = 0n;
  for (const [, count = '0'] of text.matchAll(/^(?:RW|RDONLY|NOACCESS) ([0-9]{1,18}) [A-Z]+/gm))
    sectors += BigInt(count);
  return { virtualSizeInBytes: header.bytes(sectors), hasBackingFile: descriptorParent(text) };
}

function vmdk(header: Header): Summary {
  const magic = header.text(0, 4);
  if (magic === '# Di')
    return vmdkDescriptor(header.text(0, Math.min(header.fileSize, descriptorLimit)), header);
  if (magic === 'COWD')
    return { virtualSizeInBytes: header.view(12, 4).getUint32(0, true) * sectorSize, hasBackingFile: false };
  const view = header.view(0, 44);
  const descriptorAt = header.bytes(view.getBigUint64(28, true));
  const length = Math.min(header.bytes(view.getBigUint64(36, true)), descriptorLimit);
  const descriptor = descriptorAt === 0 ? '' : header.text(descriptorAt, length);
  return {
    virtualSizeInBytes: header.bytes(view.getBigUint64(12, true)),
    hasBackingFile: descriptorParent(descriptor),
  };
}

const readers: Readonly<Record<string, (header: Header) => Summary>> = {
  vmdk,
  luks: (header) => ({
    virtualSizeInBytes: Math.max(0, header.fileSize - header.view(104, 4).getUint32(0) * sectorSize),
    hasBackingFile: false,
  }),
};

/** The summary of an image. Errors as the host's; CorruptError, and UnsupportedError for a format without one. */
export function readImageSummary(origin: Origin): ImageSummary {
  const file = origin.open({ writable: false });
  try {
    const format = detectFormat(file);
    const reader = readers[format.name];
    if (reader !== undefined) return { format: format.name, ...reader(new Header(file, format.name)) };
    if (format.info === undefined)
      throw new UnsupportedError(`${format.name} image`, ['telling what is in it']);
    const { virtualSizeInBytes, backingFile } = format.info(file);
    return { format: format.name, virtualSizeInBytes, hasBackingFile: backingFile !== undefined };
  } finally {
    file.close();
  }
}
