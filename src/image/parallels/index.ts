/**
 * Parallels' expandable images, for reading: one file of clusters, and a table that says where they are. Descriptions of
 * several files (`DiskDescriptor.xml`) are not followed.
 */
import type { ImageFormat } from '../format.js';
import { openParallels, readParallelsInfo } from './open.js';
import { probe } from './probe.js';

export const parallels = {
  name: 'parallels',
  probe,
  info: readParallelsInfo,
  open: openParallels,
} satisfies ImageFormat;
