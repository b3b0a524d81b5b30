/** Reading what a disk holds, as far as a round has time for. */
import type { Disk } from '../../src/disk/index.js';
import { quietly } from '../trace.js';

/** How much of one disk is read; in bytes. */
const most = 256 * 1024;
const scratch = new Uint8Array(most);

/** The beginning of a disk where it is no hole, and its end. */
export function readStart(disk: Disk, limit = most): void {
  quietly(() => {
    const end = Math.min(disk.size, limit);
    for (let at = 0; at < end; ) {
      const span = disk.span(at, end - at);
      if (span.length < 1) throw new Error(`a span of ${span.length} bytes`);
      if (!span.hole) disk.read(scratch.subarray(0, Math.min(span.length, end - at)), at);
      at += span.length;
    }
    if (disk.size > limit) disk.read(scratch.subarray(0, 512), disk.size - 512);
  });
}
