/** The status of a file as the commands show it, and as one line of JSON. */

import type { Structs } from '../../api/index.js';
import { decodeText, encodeText, typeOfMode } from '../../base/index.js';
import { deviceNumbers } from '../../formats/index.js';
import { LineWriter } from '../terminal/line-writer.js';
import { visibleJson } from '../terminal/visible.js';
import { isDeviceFile } from './file-words.js';

export interface FileFacts {
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  /** In bytes. */
  readonly size: number;
  /** Of 512 bytes. */
  readonly blocks: number;
  readonly ino: number;
  readonly dev: number;
  /** Of a device file. */
  readonly rdev: number;
  /** Seconds since 1970, and nanoseconds that count from there. */
  readonly atime: number;
  readonly atimeNanoseconds: number;
  readonly mtime: number;
  readonly mtimeNanoseconds: number;
  readonly ctime: number;
  readonly ctimeNanoseconds: number;
}

export interface FileRecord extends FileFacts {
  readonly path: string;
  /** Of a symbolic link, where it was read. */
  readonly target?: string | undefined;
}

export function recordOf(path: string, stat: Structs['statns'], target?: string): FileRecord {
  return {
    path,
    mode: stat.stMode,
    nlink: stat.stNlink,
    uid: stat.stUid,
    gid: stat.stGid,
    size: stat.stSize,
    blocks: stat.stBlocks,
    ino: stat.stIno,
    dev: stat.stDev,
    rdev: stat.stRdev,
    atime: stat.stAtimeSec,
    atimeNanoseconds: stat.stAtimeNsec,
    mtime: stat.stMtimeSec,
    mtimeNanoseconds: stat.stMtimeNsec,
    ctime: stat.stCtimeSec,
    ctimeNanoseconds: stat.stCtimeNsec,
    target,
  };
}

/** Whether bytes are printable ASCII that JSON need not escape. Nearly every path is. */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number; // safe: the caller's bounds
    if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return false;
  }
  return true;
}

/** Text in bytes as a string of JSON. */
function writeText(to: LineWriter, bytes: Uint8Array, start: number, end: number): void {
  if (!isPlain(bytes, start, end)) return to.text(visibleJson(decodeText(bytes.subarray(start, end))));
  to.ascii('"');
  to.copy(bytes, start, end);
  to.ascii('"');
}

/**
 * Seconds since 1970 with nine decimals: JSON numbers can hold them exactly, JavaScript numbers cannot. Nanoseconds
 * count forwards before 1970 too: -1 s and 0.25 s are -0.75 s.
 */
function writeTime(to: LineWriter, seconds: number, nanoseconds: number): void {
  if (nanoseconds === 0) return to.number(seconds);
  if (seconds < 0) {
    to.ascii('-');
    to.number(-(seconds + 1));
  } else to.number(seconds);
  to.ascii('.');
  to.digits(seconds < 0 ? 1e9 - nanoseconds : nanoseconds, 9);
}

/** Writes a record as JSON on one line, without the newline. The path is given as bytes, as in a listing. */
export function writeRecord(
  to: LineWriter,
  { bytes, start, end }: { bytes: Uint8Array; start: number; end: number },
  facts: FileFacts,
  target?: string,
): void {
  const { mode } = facts;
  to.ascii('{"path":');
  writeText(to, bytes, start, end);
  to.ascii(',"type":"');
  to.ascii(typeOfMode(mode));
  to.ascii('","mode":"');
  for (let shift = 9; shift >= 0; shift -= 3) to.digits((mode >> shift) & 7, 1);
  to.ascii('","nlink":');
  to.number(facts.nlink);
  to.ascii(',"uid":');
  to.number(facts.uid);
  to.ascii(',"gid":');
  to.number(facts.gid);
  to.ascii(',"size":');
  to.number(facts.size);
  to.ascii(',"blocks":');
  to.number(facts.blocks);
  to.ascii(',"ino":');
  to.number(facts.ino);
  to.ascii(',"dev":');
  to.number(facts.dev);
  to.ascii(',"atime":');
  writeTime(to, facts.atime, facts.atimeNanoseconds);
  to.ascii(',"mtime":');
  writeTime(to, facts.mtime, facts.mtimeNanoseconds);
  to.ascii(',"ctime":');
  writeTime(to, facts.ctime, facts.ctimeNanoseconds);
  if (isDeviceFile(mode)) {
    const { major, minor } = deviceNumbers(facts.rdev);
    to.ascii(',"major":');
    to.number(major);
    to.ascii(',"minor":');
    to.number(minor);
  }
  if (target !== undefined) {
    const text = encodeText(target);
    to.ascii(',"target":');
    writeText(to, text, 0, text.length);
  }
  to.ascii('}');
}

/** Records as a JSON array, one on each line. */
export function recordsJson(records: readonly FileRecord[]): Uint8Array {
  const to = new LineWriter();
  for (const [index, record] of records.entries()) {
    const bytes = encodeText(record.path);
    to.ascii(index === 0 ? '[\n  ' : ',\n  ');
    writeRecord(to, { bytes, start: 0, end: bytes.length }, record, record.target);
  }
  to.ascii(records.length === 0 ? '[]\n' : '\n]\n');
  return to.take();
}
