/** A file without a name, for what need not outlive whoever writes it. */
import { closeSync, constants, fstatSync, openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostError } from '../../base/index.js';
import type { GrowableDisk } from '../disk.js';
import { FileDisk } from './file.js';
import { identityOf } from './path.js';

/** Makes an empty file, readable by its owner alone, that vanishes with its descriptor however the process ends. */
export function openScratch(directory: string = tmpdir()): GrowableDisk {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const name = `overlay in ${directory}`;
  const path = join(directory, `.guestfs-overlay-${process.pid}-${crypto.randomUUID()}`);
  try {
    const fd = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      const identity = identityOf(fstatSync(fd, { bigint: true }));
      return new FileDisk(path, { writable: true, identity, name });
    } finally {
      closeSync(fd);
      unlinkSync(path);
    }
  } catch (thrown) {
    throw hostError(name, thrown);
  }
}
