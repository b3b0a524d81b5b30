/** Reads large text files line by line, without holding the file in memory. */
import { decodeText, systemError, work } from '../base/index.js';
import type { Place } from '../vfs/index.js';

const pieceLength = 1024 * 1024;
const newline = 0x0a;

/**
 * Calls `take` for each line of a regular file, without its newline. A line longer than a piece of 1 MiB is cut
 * there. EFBIG past `limitInBytes`.
 */
export function eachLine(
  place: Place,
  limitInBytes: number,
  name: string,
  take: (line: string) => void,
): void {
  const disk = place.fileSystem.data(place.inode);
  if (disk.size > limitInBytes) throw systemError('EFBIG', name);
  const buffer = new Uint8Array(Math.min(pieceLength, disk.size));
  let kept = 0; // bytes at the start of the buffer: the beginning of a line whose end is still to come
  for (let offset = 0; offset < disk.size; ) {
    const length = Math.min(buffer.length - kept, disk.size - offset);
    work.checkpoint();
    disk.read(buffer.subarray(kept, kept + length), offset);
    offset += length;
    const filled = kept + length;
    const last = buffer.lastIndexOf(newline, filled - 1);
    const end = offset === disk.size || last < 0 ? filled : last;
    const lines = decodeText(buffer.subarray(0, end)).split('\n');
    // A newline at the very end of the file ends the last line and begins no further one.
    if (offset === disk.size && lines.at(-1) === '') lines.pop();
    for (const line of lines) take(line);
    kept = end === filled ? 0 : filled - end - 1;
    buffer.copyWithin(0, filled - kept, filled);
  }
}
