/**
 * Facts about an image without reading the guest's disk: its format, its size, and whether it has a backing image. LUKS
 * is among them, which cannot be read as an image.
 */
import { struct, UnsupportedError, u32 } from '../base/index.js';
import type { Disk, Origin } from '../disk/index.js';
import { detectFormat } from './formats.js';
import { readPart } from './signature.js';

export interface ImageSummary {
  /** By qemu's name. */
  readonly format: string;
  /** What the guest sees, in bytes. */
  readonly virtualSizeInBytes: number;
  readonly hasBackingFile: boolean;
}

/** The header of version 1, whose disk begins at an offset in sectors: LUKS On-Disk Format Specification 1.2.3, 2.1. */
const luksHeader = struct('LUKS header', 'big', 592, () => ({ payload_offset: u32(104) }));
const luksSectorSize = 512;

function luksSize(file: Disk): number {
  const { payload_offset: first } = luksHeader.decode(readPart(file, 0, luksHeader.size));
  return Math.max(0, file.size - first * luksSectorSize);
}

/** The summary of an image. Errors as the host's; CorruptError, and UnsupportedError for a format without one. */
export function readImageSummary(origin: Origin): ImageSummary {
  const file = origin.open({ writable: false });
  try {
    const { name: format, info } = detectFormat(file);
    if (format === 'luks') return { format, virtualSizeInBytes: luksSize(file), hasBackingFile: false };
    if (info === undefined) throw new UnsupportedError(`${format} image`, ['telling what is in it']);
    const { virtualSizeInBytes, backingFile } = info(file);
    return { format, virtualSizeInBytes, hasBackingFile: backingFile !== undefined };
  } finally {
    file.close();
  }
}
