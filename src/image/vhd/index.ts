/**
 * VHD, the image format of Virtual PC, Azure and older Hyper-V, for reading; qemu calls it `vpc`. A fixed disk is the
 * guest's disk with a footer behind it. A dynamic one has blocks where something was written, and a differencing one has
 * blocks where it differs from its parent, sector by sector.
 */
import type { ImageFormat } from '../format.js';
import { openVhd, readVhdInfo } from './open.js';
import { probe } from './probe.js';

export const vhd = {
  name: 'vpc',
  probe,
  info: readVhdInfo,
  open: openVhd,
} satisfies ImageFormat;
