/** Files of guests: programs, archives, packed files, as small as they come. */

import { gzipSync } from 'node:zlib';
import { TarHeaderWriter, tarPadding } from '../../../src/formats/index.js';
import { elf, pe } from '../../../test/inspect/distributions.js';
import { readFixture } from '../../../test/support/fixtures.js';

type Seeds = ReadonlyMap<string, () => Uint8Array>;

const plainEntry = {
  mode: 0o644,
  uid: 0,
  gid: 0,
  modifiedSeconds: 1_700_000_000,
  linkName: '',
  userName: 'root',
  groupName: 'root',
  deviceMajor: 0,
  deviceMinor: 0,
  records: new Map<string, Uint8Array>(),
} as const;

/** An archive with an entry of each type, long names and extended attributes. */
export function tarArchive(pax: boolean): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new TarHeaderWriter({ write: (bytes) => void pieces.push(Uint8Array.from(bytes)) }, pax);
  const file = (name: string, contents: string, records = plainEntry.records): void => {
    writer.write({ ...plainEntry, name, type: 'file', sizeInBytes: contents.length, records });
    pieces.push(Buffer.from(contents), new Uint8Array(tarPadding(contents.length)));
  };
  writer.write({ ...plainEntry, name: './etc/', type: 'directory', sizeInBytes: 0 });
  file('./etc/hostname', 'guest\n');
  file(`./${'long/'.repeat(40)}name`, 'x'.repeat(700));
  file('./attributes', '', new Map([['SCHILY.xattr.user.a', Buffer.from('value')]]));
  for (const type of ['symlink', 'hardlink', 'character', 'fifo'] as const)
    writer.write({
      ...plainEntry,
      name: `./${type}`,
      type,
      sizeInBytes: 0,
      linkName: './etc/hostname',
      deviceMajor: 1,
    });
  writer.write({ ...plainEntry, name: './link', type: 'symlink', sizeInBytes: 0, linkName: 'l'.repeat(300) });
  pieces.push(new Uint8Array(1024));
  return Buffer.concat(pieces);
}

/** An archive in the format of initrds. */
export function cpioArchive(): Uint8Array {
  const pieces: Buffer[] = [];
  const pad = (length: number): Buffer => Buffer.alloc(-length & 3);
  const entry = (name: string, mode: number, contents: Uint8Array): void => {
    const numbers = [7, mode, 0, 0, 1, 0, contents.length, 0, 0, 0, 0, name.length + 1, 0];
    const header = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}${name}\0`;
    pieces.push(Buffer.from(header), pad(header.length), Buffer.from(contents), pad(contents.length));
  };
  entry('.', 0o040755, new Uint8Array(0));
  entry('bin', 0o040755, new Uint8Array(0));
  entry('bin/sh', 0o100755, elf(62));
  entry('etc/fstab', 0o100644, Buffer.from('/dev/sda1 / ext4 defaults 0 1\n'));
  entry('TRAILER!!!', 0, new Uint8Array(0));
  return Buffer.concat(pieces);
}

const zstdText = 'KLUv/QRofQAASGFiY2RlZmdoCgEA9MoRqWcH4Q==';

export const packedSeeds: Seeds = new Map([
  ['cpio', cpioArchive],
  ['two-cpios', () => Buffer.concat([cpioArchive(), new Uint8Array(512), gzipSync(cpioArchive())])],
  ['cpio.gz', () => gzipSync(cpioArchive())],
  ['text.gz', () => gzipSync('line\n'.repeat(5000))],
  ['stored.gz', () => gzipSync(cpioArchive(), { level: 0 })],
  ['text.zst', () => Buffer.from(zstdText, 'base64')],
  ['text.xz', () => readFixture('xz/text.xz')],
  ['blocks.xz', () => readFixture('xz/blocks.xz')],
]);

const text =
  (content: string): (() => Uint8Array) =>
  () =>
    Buffer.from(content, 'latin1');

/** A file of each kind that `file` knows well, and some that it does not. */
export const fileSeeds: Seeds = new Map([
  ['elf-64', () => elf(62)],
  ['elf-32-big', () => elf(8, 32, false)],
  ['elf-shared', () => elf(183, 64, true, 3)],
  ['elf-whole', () => elfWithSections()],
  ['pe', () => pe(0x8664, 0x20b)],
  ['tar', () => tarArchive(false)],
  ['pax', () => tarArchive(true)],
  ...packedSeeds,
  ['ext4', () => readFixture('ext/ext4-1k.img.gz').slice(0, 65536)],
  ['gpt', () => readFixture('partition/gpt-names.img.gz').slice(0, 65536)],
  ['fat', () => readFixture('fat/fat16.img.gz').slice(0, 65536)],
  ['qcow2', () => readFixture('qcow2/v3.qcow2.gz').slice(0, 65536)],
  ['iso', () => readFixture('iso/rock.iso.gz').slice(0, 65536)],
  ['text', text('a text\nof two lines, caf\u00e9\n')],
  ['script', text('#!/usr/bin/env python3\nimport sys\nprint(sys.argv)\n')],
  ['c', text('/* a program */\n#include <stdio.h>\nint main(void) { return 0; }\n')],
  ['json', text('{"a": [1, 2.5e3, "x", {"b": null}], "c": true}\n')],
  ['html', text('<!DOCTYPE html>\n<html><head><title>t</title></head></html>\n')],
  ['xml', text('<?xml version="1.0" encoding="UTF-8"?>\n<a b="c"/>\n')],
  ['png', text('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x06\0\0\0')],
  ['gif', text('GIF89a\x10\0\x10\0\x80\0\0')],
  ['jpeg', text('\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\x01\0H\0H\0\0\xff\xdb')],
  ['zip', text('PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0a.txt')],
  ['deb', text('!<arch>\ndebian-binary   1700000000  0     0     100644  4         `\n2.0\n')],
  ['rpm', text('\xed\xab\xee\xdb\x03\0\0\0\0\x01name-1-1\0\0')],
  ['sqlite', text('SQLite format 3\0\x10\0\x01\x01\0@  \0\0\0\x02\0\0\0\x03')],
  ['kernel', text(`MZ${'\0'.repeat(508)}\x55\xaaHdrS\x0f\x02\0\0\0\0\x10\x31${'\0'.repeat(64)}`)],
  ['utf-16', text('\xff\xfea\0b\0\n\0')],
]);

/** A program with program headers, sections, an interpreter and notes. */
function elfWithSections(): Uint8Array {
  const bytes = Buffer.alloc(2048);
  Buffer.from(elf(62, 64, true, 3)).copy(bytes);
  bytes.writeBigUInt64LE(64n, 32); // program headers
  bytes.writeBigUInt64LE(1024n, 40); // section headers
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(3, 56);
  bytes.writeUInt16LE(64, 58);
  bytes.writeUInt16LE(4, 60);
  bytes.writeUInt16LE(3, 62);
  const segment = (index: number, type: number, offset: number, size: number): void => {
    const at = 64 + index * 56;
    bytes.writeUInt32LE(type, at);
    bytes.writeBigUInt64LE(BigInt(offset), at + 8);
    bytes.writeBigUInt64LE(BigInt(size), at + 32);
  };
  segment(0, 3, 512, 28); // the interpreter
  segment(1, 4, 560, 36); // notes
  segment(2, 2, 700, 64); // dynamic
  bytes.write('/lib64/ld-linux-x86-64.so.2\0', 512);
  bytes.writeUInt32LE(4, 560);
  bytes.writeUInt32LE(20, 564);
  bytes.writeUInt32LE(3, 568);
  bytes.write('GNU\0', 572);
  const section = (index: number, type: number, offset: number, size: number): void => {
    const at = 1024 + index * 64;
    bytes.writeUInt32LE(index * 8, at);
    bytes.writeUInt32LE(type, at + 4);
    bytes.writeBigUInt64LE(BigInt(offset), at + 24);
    bytes.writeBigUInt64LE(BigInt(size), at + 32);
  };
  section(1, 2, 800, 48);
  section(2, 7, 560, 36);
  section(3, 3, 900, 64);
  bytes.write('\0.symtab\0.note\0.shstrtab\0', 900);
  return bytes;
}

/** Two chunks of LZNT1: of a text that repeats itself, or as it is; and a third of the other kind. */
export function lznt1Seed(packed: boolean): Uint8Array {
  const stored = [0x0f, 0x30, ...Buffer.from('sixteen letters.')];
  // Eight literals, then a match of the twelve letters behind and one of all that is there.
  const repeated = [0x0d, 0xb0, 0x00, ...Buffer.from('abcdefgh'), 0x01, 0x09, 0x70, 0x62, 0x10];
  const chunks = packed ? [repeated, stored, repeated] : [stored, stored, repeated];
  return Uint8Array.from([...chunks.flat(), 0, 0]);
}
