/**
 * Filesystems and containers that are recognised but not opened: the door. Types, labels and UUIDs are blkid's (util-linux
 * 2.38). Adding one is a probe, and its place in the list.
 */
import type { FileSystemDriver } from '../driver.js';
import { apple } from './apple.js';
import { containers } from './containers.js';
import { linux, minix } from './linux.js';
import { udf } from './udf.js';
import { ufs, zfs } from './unix.js';
import { windows } from './windows.js';

/**
 * In the order in which they are asked: containers, then filesystems with long marks, those with short ones last. UDF is
 * among them, so that they are to be asked before ISO 9660.
 */
export const signatures: readonly FileSystemDriver[] = [
  ...containers,
  ...linux,
  udf,
  zfs,
  ...apple,
  ...windows,
  ufs,
  minix,
];
