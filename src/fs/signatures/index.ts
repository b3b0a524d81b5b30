/**
 * Filesystems and containers that are recognised but not opened: the door. Types, labels and UUIDs are blkid's (util-linux
 * 2.38). Adding one is a probe, and its place in the list of all kinds (`../kinds.ts`).
 */
import type { FileSystemDriver } from '../driver.js';
import { apple } from './apple.js';
import { befs } from './befs.js';
import { cluster } from './cluster.js';
import { containers } from './containers.js';
import { flash } from './flash.js';
import { hostRaids } from './host-raid.js';
import { linux } from './linux.js';
import { storage } from './storage.js';
import { udf } from './udf.js';
import { unix } from './unix.js';
import { windows } from './windows.js';
import { xfs } from './xfs.js';

/** All of them, in no order. */
export const signatures: readonly FileSystemDriver[] = [
  ...containers,
  ...hostRaids,
  ...storage,
  ...cluster,
  ...flash,
  ...linux,
  ...xfs,
  ...unix,
  ...apple,
  ...windows,
  befs,
  udf,
];
