/** What is in files and devices: whole, in part, as lines, counted, dumped, brought to the host. */

import { decodeText, GuestfsError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { HexDump } from '../../formats/index.js';
import { move } from '../host/copy-data.js';
import {
  deviceOrFile,
  fileContents,
  linesIn,
  piecesOf,
  readBytes,
  readText,
  textLimit,
  textLines,
  tooMuch,
} from '../session/contents.js';
import { TextList } from '../session/text-list.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

function part(call: Call, disk: Disk, what: string, count: number, offset: number): Uint8Array {
  if (count < 0 || offset < 0)
    throw new GuestfsError('EINVAL', `${what}: count and offset must not be negative`);
  const length = Math.max(0, Math.min(count, disk.size - offset));
  return readBytes(call, disk, what, Math.min(offset, disk.size), length);
}

/** The first `count` lines; for a negative count, all except the last `-count`. */
function head(call: Call, path: string, count: number): string[] {
  const lines = new TextList(path);
  const disk = fileContents(call, path);
  if (count === 0) return [];
  for (const line of textLines(call, disk)) {
    lines.add(line);
    if (count > 0 && lines.items.length === count) break;
  }
  return count < 0 ? lines.items.slice(0, Math.max(0, lines.items.length + count)) : lines.items;
}

/** All lines from a number on, counted from 1. */
function linesFrom(call: Call, path: string, disk: Disk, first: number): string[] {
  const lines = new TextList(path);
  let number = 0;
  for (const line of textLines(call, disk)) if (++number >= first) lines.add(line);
  return lines.items;
}

const tailPiece = 64 * 1024;

/** The last `count` lines; for a negative count, all from line `-count` on, counted from 1. */
function tail(call: Call, path: string, count: number): string[] {
  const disk = fileContents(call, path);
  if (count < 0) return linesFrom(call, path, disk, -count);
  if (count === 0) return [];
  // Searches backwards until there are enough line feeds. A line feed at the very end belongs to the last line.
  let start = disk.size;
  let feeds = 0;
  while (start > 0 && feeds <= count) {
    call.checkpoint();
    const from = Math.max(0, start - tailPiece);
    const piece = new Uint8Array(start - from);
    disk.read(piece, from);
    for (const byte of piece) if (byte === 0x0a) feeds++;
    start = from;
  }
  const lines = new TextList(path);
  for (const line of linesIn(piecesOf(call, disk, start))) lines.add(decodeText(line));
  return lines.items.slice(-count);
}

function count(call: Call, path: string, counter: (piece: Uint8Array) => number): number {
  let total = 0;
  for (const piece of piecesOf(call, fileContents(call, path))) total += counter(piece);
  return total;
}

/** The bytes for which C's isspace is true in the C locale. */
const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** The bytes for which C's isgraph is true in the C locale: a word without one of them does not count. */
const isGraphic = (byte: number): boolean => byte > 0x20 && byte < 0x7f;

function countWords(call: Call, path: string): number {
  let inside = false;
  return count(call, path, (piece) => {
    let words = 0;
    for (const byte of piece) {
      if (isSpace(byte)) inside = false;
      else if (!inside && isGraphic(byte)) {
        inside = true;
        words++;
      }
    }
    return words;
  });
}

/** Whether all bytes are zero. Holes need not be read. */
function isZero(call: Call, disk: Disk): boolean {
  for (let at = 0; at < disk.size; ) {
    call.progress(at, disk.size);
    const span = disk.span(at, Math.min(disk.size - at, 1024 * 1024));
    if (!span.hole) {
      const piece = Buffer.alloc(span.length);
      disk.read(piece, at);
      if (!piece.equals(Buffer.alloc(span.length))) return false;
    }
    at += span.length;
  }
  return true;
}

function hexdump(call: Call, disk: Disk, what: string): string {
  const dump = new HexDump(0);
  const lines: string[] = [];
  let length = 0;
  const add = (more: string): void => {
    length += more.length;
    if (length > textLimit) throw tooMuch(what, `more than ${textLimit}`);
    lines.push(more);
  };
  for (const piece of piecesOf(call, disk)) add(dump.add(piece));
  add(dump.end());
  return lines.join('');
}

function equal(call: Call, first: Disk, second: Disk): boolean {
  if (first.size !== second.size) return false;
  const others = piecesOf(call, second);
  for (const piece of piecesOf(call, first)) {
    const other = others.next().value;
    if (!other || Buffer.compare(piece, other) !== 0) return false;
  }
  return true;
}

export const contentsHandlers = {
  download: (call, name, sink) => move(call, deviceOrFile(call, name), sink),
  download_offset(call, name, sink, offset, size) {
    if (offset < 0 || size < 0)
      throw new GuestfsError('EINVAL', `${name}: offset and size must not be negative`);
    const disk = deviceOrFile(call, name);
    // Reads as much as exists: nothing lies past the end.
    const start = Math.min(offset, disk.size);
    move(call, disk, sink, { offset: start, length: Math.min(size, disk.size - start) });
  },
  cat: readText,
  read_file: (call, path) => readBytes(call, fileContents(call, path), path),
  read_lines(call, path) {
    const lines = new TextList(path);
    for (const line of textLines(call, fileContents(call, path)))
      lines.add(line.endsWith('\r') ? line.slice(0, -1) : line);
    return lines.items;
  },
  pread: (call, path, length, offset) => part(call, fileContents(call, path), path, length, offset),
  pread_device: (call, name, length, offset) =>
    part(call, call.session.devices.resolve(name).disk, name, length, offset),
  filesize: (call, path) => call.session.tree.stat(path).sizeInBytes,
  head: (call, path) => head(call, path, 10),
  head_n: (call, lines, path) => head(call, path, lines),
  tail: (call, path) => tail(call, path, 10),
  tail_n: (call, lines, path) => tail(call, path, lines),
  wc_c: (call, path) => fileContents(call, path).size,
  wc_l: (call, path) =>
    count(call, path, (piece) => {
      let lines = 0;
      for (let at = piece.indexOf(0x0a); at >= 0; at = piece.indexOf(0x0a, at + 1)) lines++;
      return lines;
    }),
  wc_w: countWords,
  hexdump: (call, path) => hexdump(call, fileContents(call, path), path),
  is_zero: (call, path) => isZero(call, fileContents(call, path)),
  is_zero_device: (call, name) => isZero(call, call.session.devices.resolve(name).disk),
  equal: (call, first, second) => equal(call, fileContents(call, first), fileContents(call, second)),
} satisfies TopicHandlers;
