/**
 * VDI, the image format of VirtualBox, for reading. The guest's disk lies in blocks, and a map says where they are. A
 * difference knows its parent by UUIDs alone: VirtualBox calls a difference by its own UUID, and keeps other names in the
 * description of the machine, so the parent is looked for among the files near the image.
 */
import type { ImageFormat } from '../format.js';
import { openVdi, readVdiInfo } from './open.js';
import { probe } from './probe.js';

export const vdi = {
  name: 'vdi',
  probe,
  info: readVdiInfo,
  open: openVdi,
} satisfies ImageFormat;
