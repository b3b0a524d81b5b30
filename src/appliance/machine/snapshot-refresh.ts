/**
 * A program for the appliance that sets the clock and reseeds the random generator. A resumed machine has the time of
 * its snapshot, and would draw the same random numbers as every other one: UUIDs, keys, temporary names. Data written
 * to /dev/urandom goes into the kernel's pool, but the generator reads the pool only now and then; the appliance has
 * no program for the ioctl that reseeds it at once. So this is one: an ELF executable of a few system calls. Sources:
 * System V ABI, AMD64 supplement; ELF-64 Object File Format 1.5; random(4); clock_settime(2).
 */
import { randomBytes } from 'node:crypto';
import { bytes, decodeHex, GuestfsError, i32, struct, u16, u32, u64 } from '../../base/index.js';

/**
 * Reads 88 bytes from standard input: a `struct timespec` and a `struct rand_pool_info`. Sets the clock, opens
 * /dev/random, adds the pool with its credit (RNDADDENTROPY), reseeds the generator (RNDRESEEDCRNG), and exits with 0
 * or the errno of the failure; ENODATA if the input is short.
 */
const x86Code = Buffer.from(
  [
    '4881ec80000000', //       sub   rsp, 128
    '31ed', //                 xor   ebp, ebp           bytes read
    '31c031ff', //       more: xor   eax, eax; xor edi, edi     read, standard input
    '488d342c', //             lea   rsi, [rsp + rbp]
    'ba58000000', //           mov   edx, 88
    '29ea0f05', //             sub   edx, ebp; syscall
    '85c07e5b', //             test  eax, eax; jle short
    '01c583fd58', //           add   ebp, eax; cmp ebp, 88
    '72e4', //                 jb    more
    'b8e3000000', //           mov   eax, 227           clock_settime
    '31ff', //                 xor   edi, edi           CLOCK_REALTIME
    '4889e60f05', //           mov   rsi, rsp; syscall
    '85c07549', //             test  eax, eax; jnz fail
    'b802000000', //           mov   eax, 2             open
    '488d3d48000000', //       lea   rdi, [rip + 0x48]  the path
    'be01000000', //           mov   esi, 1             O_WRONLY
    '31d20f05', //             xor   edx, edx; syscall
    '85c07830', //             test  eax, eax; js fail
    '89c389c7', //             mov   ebx, eax; mov edi, eax
    'b810000000', //           mov   eax, 16            ioctl
    'be03520840', //           mov   esi, 0x40085203    RNDADDENTROPY
    '488d5424100f05', //       lea   rdx, [rsp + 16]; syscall
    '85c07517', //             test  eax, eax; jnz fail
    '89df', //                 mov   edi, ebx
    'b810000000', //           mov   eax, 16            ioctl
    'be07520000', //           mov   esi, 0x5207        RNDRESEEDCRNG
    '31d20f05', //             xor   edx, edx; syscall
    'eb05', //                 jmp   fail
    'b8c3ffffff', //    short: mov   eax, -61           ENODATA
    'f7d889c7', //       fail: neg   eax; mov edi, eax
    'b83c0000000f05', //       mov   eax, 60; syscall   exit
    Buffer.from('/dev/random\0').toString('hex'),
  ].join(''),
  'hex',
);

/** `Elf64_Ehdr`. */
const elfHeader = struct('ELF header', 'little', 64, () => ({
  e_ident: bytes(0, 16),
  e_type: u16(16),
  e_machine: u16(18),
  e_version: u32(20),
  e_entry: u64(24),
  e_phoff: u64(32),
  e_ehsize: u16(52),
  e_phentsize: u16(54),
  e_phnum: u16(56),
}));
/** `Elf64_Phdr`. */
const elfSegment = struct('ELF segment', 'little', 56, () => ({
  p_type: u32(0),
  p_flags: u32(4),
  p_vaddr: u64(16),
  p_paddr: u64(24),
  p_filesz: u64(32),
  p_memsz: u64(40),
  p_align: u64(48),
}));
/** 64 bits, little-endian, version 1. */
const elfIdentity = decodeHex('7f454c46020101'.padEnd(32, '0'));
const loadAddress = 0x400000;
/** By qemu's processor name: the ELF machine number, and the code. */
const machines: Readonly<Record<string, { readonly elfMachine: number; readonly code: Buffer }>> = {
  x86_64: { elfMachine: 62, code: x86Code },
};

/** One segment with the whole file, readable and executable; the entry point follows the headers. Little endian. */
function elf(elfMachine: number, code: Buffer): Buffer {
  const headersLength = elfHeader.size + elfSegment.size;
  const length = headersLength + code.length;
  const header = elfHeader.encode({
    e_ident: elfIdentity,
    e_type: 2, // an executable
    e_machine: elfMachine,
    e_version: 1,
    e_entry: loadAddress + headersLength,
    e_phoff: elfHeader.size,
    e_ehsize: elfHeader.size,
    e_phentsize: elfSegment.size,
    e_phnum: 1,
  });
  const segment = elfSegment.encode({
    p_type: 1, // to be loaded
    p_flags: 5, // readable, executable
    p_vaddr: loadAddress,
    p_paddr: loadAddress,
    p_filesz: length,
    p_memsz: length,
    p_align: 4096,
  });
  return Buffer.concat([header, segment, code]);
}

/** Whether there is such a program for a processor, by qemu's name. */
export const canRefresh = (architecture: string): boolean => Object.hasOwn(machines, architecture);

/** The program. Throws GuestfsError (ENOTSUP) for a processor without one. */
export function refreshProgram(architecture: string): Buffer {
  const machine = Object.hasOwn(machines, architecture) ? machines[architecture] : undefined;
  if (machine === undefined)
    throw new GuestfsError('ENOTSUP', `a machine of ${architecture} cannot be given the time and randomness`);
  return elf(machine.elfMachine, machine.code);
}

/** A `struct timespec`, and a `struct rand_pool_info` without the bytes themselves, whose credit is in bits. */
const refreshHead = struct('time and randomness', 'little', 24, () => ({
  tv_sec: u64(0),
  tv_nsec: u64(8),
  entropy_count: i32(16),
  buf_size: i32(20),
}));

/** Bytes of randomness; the kernel's generator uses 32. */
const poolBytes = 64;

/** The program's input: the time in milliseconds since 1970, and random bytes of this host. */
export function refreshInput(timeInMs = Date.now(), random: Uint8Array = randomBytes(poolBytes)): Buffer {
  const seconds = Math.floor(timeInMs / 1000);
  const head = refreshHead.encode({
    tv_sec: seconds,
    tv_nsec: Math.round((timeInMs - seconds * 1000) * 1e6),
    entropy_count: random.length * 8,
    buf_size: random.length,
  });
  return Buffer.concat([head, random]);
}
