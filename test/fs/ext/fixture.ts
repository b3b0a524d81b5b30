/** The committed filesystems of test/fixtures/ext, opened. */
import { type Disk, MemoryDisk } from '../../../src/disk/index.js';
import { ext } from '../../../src/fs/ext/index.js';
import type { FileSystem, OpenOptions } from '../../../src/fs/index.js';
import { openVolume } from '../conformance.js';
import { extVolumes } from './suite.js';

export const fixtureNames: readonly string[] = extVolumes.names;

/** The bytes of a fixture: a fresh copy each time. */
export const readFixture = (name: string): Uint8Array => extVolumes.read(name);

/** Opens a disk as a mount does; repairs go to memory. */
export function openExt(disk: Disk, options: Partial<OpenOptions> = {}): FileSystem {
  return openVolume(ext, disk, options);
}

export function openFixture(name: string, options: Partial<OpenOptions> = {}): FileSystem {
  return openExt(new MemoryDisk(readFixture(name)), options);
}
