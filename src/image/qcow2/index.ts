/**
 * qcow2, qemu's image format, for reading. Specification: docs/interop/qcow2.txt of qemu.
 *
 * Reference counts are ignored: they mark free space, and nothing is allocated here. So an image that was not closed
 * (dirty) and one that qemu marked corrupt are both accepted, as qemu does for reading.
 */
import type { ImageFormat } from '../format.js';
import { listQcow2Snapshots, openQcow2, readQcow2Info } from './open.js';
import { probe } from './probe.js';

export const qcow2 = {
  name: 'qcow2',
  probe,
  info: readQcow2Info,
  snapshots: listQcow2Snapshots,
  open: openQcow2,
} satisfies ImageFormat;
