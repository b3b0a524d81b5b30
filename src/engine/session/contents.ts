/** The contents of files and devices as disks, and as lines: what the actions that read text share. */
import { resultLimit } from '../../api/index.js';
import { decodeText, GuestfsError, systemError, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { Place } from '../../vfs/index.js';
import { move } from '../host/copy-data.js';
import type { Call } from '../thread/call.js';

/** The contents of a file. EISDIR for a directory, EINVAL for a file without contents. */
export function contentsOf(place: Place, path: string): Disk {
  if (place.type === 'directory') throw systemError('EISDIR', path);
  if (place.type !== 'file')
    throw new GuestfsError('EINVAL', `${path}: is a ${place.type}, not a regular file`);
  return place.fileSystem.data(place.inode);
}

/** The contents of the file at a path, links followed. */
export function fileContents(call: Call, path: string): Disk {
  return contentsOf(call.session.tree.resolve(path), path);
}

/**
 * The bytes of a device, or the contents of a file. Every name under /dev is a device's; ENOENT if it does not exist.
 */
export function deviceOrFile(call: Call, name: string): Disk {
  return name.startsWith('/dev/') ? call.session.devices.resolve(name).disk : fileContents(call, name);
}

/** The most bytes of which one text is made: it takes up to twice as many, here and in the handle's thread. */
export const textLimit = 128 * 1024 * 1024;

/** `what: 5 bytes are too many…`: EFBIG for data that does not fit into one result. */
export function tooMuch(what: string, length: number | string): GuestfsError {
  return new GuestfsError(
    'EFBIG',
    `${what}: ${length} bytes are too many for one result; download it instead`,
  );
}

/** Part of a disk in memory: for results that are one value. EFBIG past what a result can carry. */
export function readBytes(
  call: Call,
  disk: Disk,
  what: string,
  offset = 0,
  length = disk.size - offset,
): Uint8Array {
  if (length > resultLimit) throw tooMuch(what, length);
  work.bytes.spend(length);
  const bytes = new Uint8Array(length);
  let at = 0;
  move(
    call,
    disk,
    {
      keepsHoles: false,
      write(piece) {
        bytes.set(piece, at);
        at += piece.length;
      },
      hole(count) {
        at += count;
      },
    },
    { offset, length },
  );
  return bytes;
}

/** The contents of a file as text. EFBIG if they do not fit into one result. */
export function readText(call: Call, path: string): string {
  const disk = fileContents(call, path);
  if (disk.size > textLimit) throw tooMuch(path, disk.size);
  return decodeText(readBytes(call, disk, path));
}

const pieceLength = 256 * 1024;
const lineFeed = 0x0a;

/** The pieces of a disk, in order. Each is valid until the next is requested. */
export function* piecesOf(call: Call, disk: Disk, offset = 0): Generator<Uint8Array, void> {
  const buffer = new Uint8Array(Math.min(pieceLength, Math.max(0, disk.size - offset)));
  for (let at = offset; at < disk.size; at += buffer.length) {
    call.progress(at, disk.size);
    const piece = buffer.subarray(0, Math.min(buffer.length, disk.size - at));
    disk.read(piece, at);
    yield piece;
  }
}

/** The longest line in bytes: a line is one text, whatever a file holds. */
const lineLimit = 16 * 1024 * 1024;

/** The lines in pieces of bytes, without line feeds; the last line may lack one. EFBIG for a line past the limit. */
export function* linesIn(pieces: Iterable<Uint8Array>): Generator<Uint8Array, void> {
  let rest: Uint8Array[] = [];
  let restLength = 0;
  for (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf(lineFeed); end >= 0; end = piece.indexOf(lineFeed, start)) {
      const line = piece.subarray(start, end);
      yield rest.length === 0 ? line : Buffer.concat([...rest, line]);
      rest = [];
      restLength = 0;
      start = end + 1;
    }
    if (start === piece.length) continue;
    rest.push(piece.slice(start));
    restLength += piece.length - start;
    if (restLength > lineLimit) throw new GuestfsError('EFBIG', `a line of more than ${lineLimit} bytes`);
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

/** The lines of a disk as text. */
export function* textLines(call: Call, disk: Disk): Generator<string, void> {
  for (const line of linesIn(piecesOf(call, disk))) yield decodeText(line);
}
