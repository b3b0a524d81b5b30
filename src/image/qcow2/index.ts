/**
 * qcow2, qemu's image format. Specification: docs/interop/qcow2.txt of qemu.
 *
 * Whoever only reads needs no reference counts: they mark free space. So an image that was not closed (dirty) and one
 * that qemu marked corrupt are both read, as qemu does, and refused for writing.
 */
import type { ImageFormat } from '../format.js';
import { checkQcow2Image, repairQcow2Image, resizeQcow2Image } from './maintenance.js';
import { listQcow2Snapshots, openQcow2, readQcow2Info } from './open.js';
import { probe } from './probe.js';

export const qcow2 = {
  name: 'qcow2',
  probe,
  info: readQcow2Info,
  snapshots: listQcow2Snapshots,
  check: checkQcow2Image,
  repair: repairQcow2Image,
  resize: resizeQcow2Image,
  writes: true,
  open: openQcow2,
} satisfies ImageFormat;
