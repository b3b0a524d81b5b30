/** Overwrites a disk so that its old bytes are hard to recover: scrub(1) with its default patterns, NNSA NAP-14.1-C. */
import { decodeLatin1, encodeText, GuestfsError } from '../../../base/index.js';
import { type Disk, platform } from '../../../disk/index.js';
import type { Call } from '../../thread/call.js';

/** What scrub leaves at the start, with a NUL behind it, and by which it knows its own work. */
const mark = '\x01\x02\x03SCRUBBED!\0';
const randomPasses = 2;
const pieceLength = 1024 * 1024;

/** Visits a disk in pieces, as one of the passes. */
function pass(call: Call, disk: Disk, number: number, visit: (offset: number, length: number) => void): void {
  const passes = randomPasses + 2;
  for (let at = 0; at < disk.size; at += pieceLength) {
    call.progress(number * disk.size + at, passes * disk.size);
    visit(at, Math.min(pieceLength, disk.size - at));
  }
  disk.flush();
}

/** Two passes of random bytes and one of zeroes, which is read back. */
export function overwrite(call: Call, disk: Disk, name: string): void {
  const piece = new Uint8Array(pieceLength);
  for (let number = 0; number < randomPasses; number++)
    pass(call, disk, number, (offset, length) => {
      platform().random(piece);
      disk.write(piece.subarray(0, length), offset);
    });
  pass(call, disk, randomPasses, (offset, length) => disk.zero(offset, length));
  pass(call, disk, randomPasses + 1, (offset, length) => {
    const found = piece.subarray(0, length);
    disk.read(found, offset);
    if (found.some((byte) => byte !== 0))
      throw new GuestfsError('EIO', `${name}: does not read back the zeroes that were written`, {
        remark: `at ${offset}`,
      });
  });
}

/** The same, and the mark of that. EEXIST for a disk that was scrubbed before. */
export function scrub(call: Call, disk: Disk, name: string): void {
  const start = new Uint8Array(Math.min(mark.length, disk.size));
  disk.read(start, 0);
  if (decodeLatin1(start) === mark)
    throw new GuestfsError('EEXIST', `${name}: was scrubbed before: zero its first bytes to scrub it again`);
  overwrite(call, disk, name);
  disk.write(encodeText(mark).subarray(0, disk.size), 0);
}
