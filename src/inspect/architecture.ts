/**
 * `file_architecture`: the processor that a program is for. ELF (System V ABI, "ELF Header"), PE (Microsoft's PE
 * format), and, for initrds, the programs inside a cpio archive. Compressed files of these kinds are unpacked first.
 */

import { GuestfsError, sourceOf, typeOfMode, UnsupportedError } from '../base/index.js';
import { elfMachine, isCpio } from '../formats/index.js';
import { initrdEntries, type Place, packingOf, readStart, type Tree, unpack } from '../vfs/index.js';

/** How much of a program's beginning is read, in bytes: PE's header may lie behind a program for DOS. */
const headLength = 4096;
/** How much of a program in an initrd is read, in bytes. The program itself may be compressed. */
const packedLength = 4 * 1024 * 1024;

/** Names for ELF's `e_machine` that do not depend on word size and byte order. */
const machines = new Map<number, string>([
  [2, 'sparc'],
  [3, 'i386'],
  [4, 'm68k'],
  [6, 'i386'],
  [15, 'parisc'],
  [18, 'sparc'],
  [20, 'ppc'],
  [40, 'arm'],
  [41, 'alpha'],
  [42, 'sh'],
  [43, 'sparc64'],
  [50, 'ia64'],
  [62, 'x86_64'],
  [183, 'aarch64'],
  [0x9026, 'alpha'],
]);

/** PE's `Machine`. */
const peMachines = new Map<number, string>([
  [0x014c, 'i386'],
  [0x01c0, 'arm'],
  [0x01c4, 'arm'],
  [0x0200, 'ia64'],
  [0x8664, 'x86_64'],
  [0xaa64, 'aarch64'],
]);

/** The architecture of a program by its first bytes; undefined if they are no program's. For tests. */
export function architectureOf(head: Uint8Array): string | undefined {
  return elfArchitecture(head) ?? peArchitecture(head);
}

function elfArchitecture(head: Uint8Array): string | undefined {
  if (head.length < 20 || head[0] !== 0x7f || head[1] !== 0x45 || head[2] !== 0x4c || head[3] !== 0x46) {
    return undefined;
  }
  const bits = head[4] === 1 ? 32 : head[4] === 2 ? 64 : undefined;
  const little = head[5] === 1;
  if (bits === undefined || (!little && head[5] !== 2)) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, 20);
  const kind = view.getUint16(16, little);
  // Relocatable, executable or shared; other ELF files, such as a core file, are no programs.
  if (kind < 1 || kind > 3) return undefined;
  const machine = view.getUint16(18, little);
  switch (machine) {
    case 8:
    case 10:
      return `mips${bits === 64 ? '64' : ''}${little ? 'el' : ''}`;
    case 21:
      return little ? 'ppc64le' : 'ppc64';
    case 22:
      return bits === 64 ? 's390x' : 's390';
    case 243:
      return `riscv${bits}`;
    case 258:
      return `loongarch${bits}`;
    default:
      // As in libguestfs, a processor without a name in this table gets the name that file(1) uses.
      return machines.get(machine) ?? elfMachine(machine);
  }
}

function peArchitecture(head: Uint8Array): string | undefined {
  if (head.length < 0x40 || head[0] !== 0x4d || head[1] !== 0x5a) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const start = view.getUint32(0x3c, true);
  // The PE signature, the machine at offset 4, and the optional header's magic at offset 24.
  if (start + 26 > head.length || view.getUint32(start, true) !== 0x00004550) return undefined;
  const magic = view.getUint16(start + 24, true);
  if (magic !== 0x10b && magic !== 0x20b) return undefined;
  return peMachines.get(view.getUint16(start + 4, true)) ?? (magic === 0x10b ? 'i386' : 'x86_64');
}

/**
 * The architecture of a program, library, kernel module or initrd. EINVAL for other files; UnsupportedError for a
 * compression other than gzip, xz or zstd.
 */
export function fileArchitecture(tree: Tree, path: string): string {
  const place = tree.resolve(path);
  const head = readStart(place, headLength, path);
  const inside = unpack(place.fileSystem.data(place.inode), path, { enough: headLength }) ?? head;
  if (packingOf(head) !== undefined && packingOf(inside) !== undefined) {
    throw new UnsupportedError(path, ['a compressed file that is compressed once more']);
  }
  const found = architectureOf(inside) ?? initrdArchitecture(place, inside, path);
  if (found === undefined) throw new GuestfsError('EINVAL', `unknown architecture: ${path}`);
  return found;
}

/** Every initrd has one of these programs, and has its architecture. */
const programs = new Set(
  ['bin/ls', 'bin/rm', 'bin/modprobe', 'sbin/modprobe', 'bin/sh', 'bin/bash', 'bin/dash', 'bin/nash'].flatMap(
    (name) => [name, `usr/${name}`],
  ),
);

function initrdArchitecture(place: Place, inside: Uint8Array, path: string): string | undefined {
  if (!isCpio(inside)) return undefined;
  for (const entry of initrdEntries(place.fileSystem.data(place.inode), path)) {
    const isFile = typeOfMode(entry.mode) === 'file';
    if (!isFile || entry.sizeInBytes === 0 || !programs.has(entry.name.replace(/^(?:\.?\/)+/, ''))) continue;
    const bytes = entry.contents(packedLength);
    const found = architectureOf(unpack(sourceOf(bytes), entry.name, { enough: headLength }) ?? bytes);
    if (found !== undefined) return found;
    break;
  }
  throw new GuestfsError('EINVAL', `could not determine architecture of cpio archive: ${path}`);
}
