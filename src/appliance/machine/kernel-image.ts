/**
 * Facts from a kernel's image file. Sources: the kernel's Documentation/arch/x86/boot.rst and
 * Documentation/arch/arm64/booting.rst. Little endian.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { hostError } from '../../base/index.js';

/** The longest version that is read, in bytes; real ones have less than a hundred. */
const longestVersion = 256;

interface KernelImage {
  /** The architecture by qemu's name; undefined if unknown. */
  readonly architecture: 'x86_64' | 'aarch64' | undefined;
  /** `6.1.0-18-cloud-amd64`, if the image contains it. */
  readonly version: string | undefined;
}

/** Bytes of a file; fewer at its end. Throws GuestfsError with the path. */
export function readHead(path: string, offset: number, length: number): Buffer {
  try {
    const fd = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    } finally {
      closeSync(fd);
    }
  } catch (thrown) {
    throw hostError(path, thrown);
  }
}

/** Throws GuestfsError (ENOENT, EACCES, …) if the file cannot be read. */
export function readKernelImage(path: string): KernelImage {
  const head = readHead(path, 0, 0x210);
  if (head.length === 0x210 && head.toString('latin1', 0x202, 0x206) === 'HdrS') {
    const at = head.readUInt16LE(0x20e);
    const text = at === 0 ? '' : readHead(path, at + 0x200, longestVersion).toString('latin1');
    return { architecture: 'x86_64', version: /^[\x21-\x7e]+(?=[ \0])/.exec(text)?.[0] };
  }
  if (head.length >= 60 && head.toString('latin1', 56, 60) === 'ARM\x64')
    return { architecture: 'aarch64', version: undefined };
  return { architecture: undefined, version: undefined };
}

/**
 * The UUID in the superblock of an ext2 filesystem; undefined without such a superblock. Source: ext4's disk layout.
 */
export function readExtUuid(path: string): string | undefined {
  const superblock = readHead(path, 1024, 0x78);
  if (superblock.length < 0x78 || superblock.readUInt16LE(0x38) !== 0xef53) return undefined;
  const digits = superblock.toString('hex', 0x68, 0x78);
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
