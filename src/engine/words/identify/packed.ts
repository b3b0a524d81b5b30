/** Compressed files in the words of the program file. */
import type { Subject } from './source.js';

const gzipSystems: Readonly<Record<number, string>> = {
  0: 'FAT filesystem (MS-DOS, OS/2, NT)',
  3: 'Unix',
  7: 'MacOS',
  11: 'NTFS filesystem (NT)',
};

/** Fields of the header. RFC 1952, 2.3. */
function gzip(subject: Subject): string {
  const flags = subject.u8(3);
  const modified = subject.u32(4, true);
  let name = '';
  if (flags & 8) {
    const extra = flags & 4 ? 2 + subject.u16(10, true) : 0;
    name = subject.text(10 + extra, 4096);
  }
  const effort = { 2: ', max compression', 4: ', max speed' }[subject.u8(8)] ?? '';
  const system = gzipSystems[subject.u8(9)];
  return [
    'gzip compressed data',
    ...(name === '' ? [] : [`, was "${name}"`]),
    ...(modified === 0 ? [] : [`, last modified: ${ctime(modified)}`]),
    effort,
    ...(system === undefined ? [] : [`, from ${system}`]),
  ].join('');
}

/** Seconds since 1970 as C's `ctime` has them, in UTC. */
function ctime(seconds: number): string {
  const [weekday, day, month, year, clock] = new Date(seconds * 1000)
    .toUTCString()
    .replace(',', '')
    .split(' ');
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${clock} ${year}`;
}

const xzChecks: Readonly<Record<number, string>> = { 0: 'NONE', 1: 'CRC32', 4: 'CRC64', 10: 'SHA-256' };

/** A dictionary is named by none to four bytes after the window's. RFC 8878, 3.1.1.1. */
function zstd(subject: Subject): string {
  const descriptor = subject.u8(4);
  const at = 5 + (descriptor & 0x20 ? 0 : 1);
  const id = [0, subject.u8(at), subject.u16(at, true), subject.u32(at, true)][descriptor & 3] ?? 0;
  return `Zstandard compressed data (v0.8+), Dictionary ID: ${id === 0 ? 'None' : id}`;
}

const words: Readonly<Record<string, (subject: Subject) => string>> = {
  gzip,
  compress: (subject) => `compress'd data ${subject.u8(2) & 0x1f} bits`,
  xz: (subject) => `XZ compressed data, checksum ${xzChecks[subject.u8(7) & 15] ?? 'unknown'}`,
  zstd,
  bzip2: (subject) => `bzip2 compressed data, block size = ${subject.text(3, 1)}00k`,
  lzma: () => 'LZMA compressed data, streamed',
  lz4: (subject) => (subject.u8(0) === 4 ? 'LZ4 compressed data (v1.4+)' : 'LZ4 compressed data (v0.1-v0.9)'),
  lzo: () => 'lzop compressed data',
};

/** A compressed file by the name of its compression. */
export function describePacked(packing: string, subject: Subject): string {
  return words[packing]?.(subject) ?? `${packing} compressed data`;
}
