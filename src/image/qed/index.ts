/** QED, an older image format of qemu, for reading: clusters, found by two levels of tables. */
import type { ImageFormat } from '../format.js';
import { openQed, readQedInfo } from './open.js';
import { probe } from './probe.js';

export const qed = {
  name: 'qed',
  probe,
  info: readQedInfo,
  open: openQed,
} satisfies ImageFormat;
