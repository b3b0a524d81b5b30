/**
 * VHDX, the image format of Hyper-V, for reading. The guest's disk lies in blocks, of which a table says where they are;
 * a difference stores some sectors of a block, and its parent shows for the others. Metadata goes through a log, which is
 * replayed in memory where the file was not closed.
 */
import type { ImageFormat } from '../format.js';
import { openVhdx, readVhdxInfo } from './open.js';
import { probe } from './probe.js';

export const vhdx = {
  name: 'vhdx',
  probe,
  info: readVhdxInfo,
  open: openVhdx,
} satisfies ImageFormat;
