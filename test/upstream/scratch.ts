/**
 * Upstream's scratch filesystem, made by the host's own tools: a session that finds it there can begin with the engine.
 * It holds what the prologue of a run writes to it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyShell } from '../support/guest-shell.js';
import { needs, toolEnvironment } from '../support/tools.js';

export const needsScratch = needs('mke2fs', 'sfdisk', 'ldd');

const sizeInBytes = 2 * 1024 ** 3;
const sectorSize = 512;
/** Where `part_disk` has the one partition begin, and how far from the end it stops. */
const marginInSectors = 128;

const tool = (name: string, args: readonly string[], input?: string): void => {
  execFileSync(name, args, { env: toolEnvironment, stdio: 'pipe', input });
};

/** Makes the drive with the scratch filesystem in an empty directory, and gives its path. */
export function makeScratchDrive(directory: string): string {
  const [drive, root] = [join(directory, 'scratch.img'), join(directory, 'root')];
  mkdirSync(root);
  // What the cases' programs, which are scripts, are run by.
  copyShell(root);
  const file = join(root, 'utimens-file');
  writeFileSync(file, '');
  utimesSync(file, 12345, 9876);
  writeFileSync(drive, '');
  truncateSync(drive, sizeInBytes);
  const sectors = sizeInBytes / sectorSize - 2 * marginInSectors;
  tool('sfdisk', ['--quiet', drive], `label: dos\nstart=${marginInSectors}, size=${sectors}, type=83\n`);
  const options = ['-q', '-F', '-t', 'ext2', '-d', root, '-E', `offset=${marginInSectors * sectorSize}`];
  tool('mke2fs', [...options, drive, `${(sectors * sectorSize) / 1024}k`]);
  return drive;
}
