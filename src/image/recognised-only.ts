/**
 * Formats that are recognised by qemu's names but cannot be read: without this, such an image would pass for a raw
 * disk full of garbage. Their signatures are at the beginning of the file, as each format's specification says.
 */
import type { Disk } from '../disk/index.js';
import type { ImageFormat } from './format.js';
import { readPart, startsWith } from './signature.js';

const foreign = (name: string, probe: (file: Disk) => boolean): ImageFormat => ({ name, probe });

/** All formats of this kind. No image matches two of them, so their order does not matter. */
export const foreignFormats: readonly ImageFormat[] = [
  foreign('luks', (file) => startsWith(readPart(file, 0, 8), 'LUKS\xba\xbe\0\x01')),
  foreign('bochs', (file) => startsWith(readPart(file, 0, 23), 'Bochs Virtual HD Image\0')),
  foreign('cloop', (file) => startsWith(readPart(file, 0, 22), '#!/bin/sh\n#V2.0 Format')),
  // The only format with its signature in the last 512 bytes: a disk image of macOS begins with compressed data.
  foreign('dmg', (file) => startsWith(readPart(file, file.size - 512, 12), 'koly\0\0\0\x04\0\0\x02\0')),
];
