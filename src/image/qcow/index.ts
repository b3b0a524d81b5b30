/** qcow, the first version of qemu's format, for reading: clusters, some compressed, found by two levels of tables. */
import type { ImageFormat } from '../format.js';
import { openQcow, readQcowInfo } from './open.js';
import { probe } from './probe.js';

export const qcow = {
  name: 'qcow',
  probe,
  info: readQcowInfo,
  open: openQcow,
} satisfies ImageFormat;
