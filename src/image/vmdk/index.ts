/**
 * VMDK, VMware's image format, for reading: sparse and flat, in one file or in several, stream-optimized, of ESX
 * (`vmfs`, `vmfsSparse`, `seSparse`), and images that stand on others. Specification: VMware's Virtual Disk Format 5.0.
 *
 * A disk is described by a text, which is a file of its own or lies within a sparse extent. What a descriptor within an
 * extent says of extents is ignored: it names the file that the writer had, which may have another name by now.
 */
import type { ImageFormat } from '../format.js';
import { openVmdk, readVmdkInfo } from './open.js';
import { probe } from './probe.js';

export const vmdk = {
  name: 'vmdk',
  probe,
  info: readVmdkInfo,
  open: openVmdk,
} satisfies ImageFormat;
