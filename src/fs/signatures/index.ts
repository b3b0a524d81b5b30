/**
 * The door of formats that are recognised but cannot be read. Types, labels and UUIDs are blkid's (util-linux 2.38).
 * A new one needs a probe, and a place in the order of all kinds (the engine's `kinds.ts`).
 */
import type { FileSystemDriver } from '../driver.js';
import { apple } from './apple.js';
import { befs } from './befs.js';
import { cluster, vmfsMember } from './cluster.js';
import { arraysAndLocks, caches } from './containers.js';
import { flash, ubi } from './flash.js';
import { hostRaids } from './host-raid.js';
import { linux } from './linux.js';
import type { Container } from './signature.js';
import { storage, storageMembers } from './storage.js';
import { udf } from './udf.js';
import { unix } from './unix.js';
import { windows } from './windows.js';

/** Filesystems and other formats without a disk inside, in no order. */
export const signatures: readonly FileSystemDriver[] = [
  ...caches,
  ...storage,
  ...cluster,
  ...flash,
  ...linux,
  ...unix,
  ...apple,
  ...windows,
  befs,
  udf,
];

/** Members and locks that have no driver in the volume room yet, in no order. */
export const containers: readonly Container[] = [
  ...arraysAndLocks,
  ...hostRaids,
  ...storageMembers,
  vmfsMember,
  ubi,
];
