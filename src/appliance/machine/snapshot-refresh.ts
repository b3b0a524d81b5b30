/**
 * A program for the appliance that sets the clock and reseeds the random generator. A resumed machine has the time of
 * its snapshot, and would draw the same random numbers as every other one: UUIDs, keys, temporary names. Data written
 * to /dev/urandom goes into the kernel's pool, but the generator reads the pool only now and then; the appliance has
 * no program for the ioctl that reseeds it at once. So this is one: an ELF executable of a few system calls. Sources:
 * System V ABI, AMD64 supplement; ELF-64 Object File Format 1.5; random(4); clock_settime(2).
 */
import { randomBytes } from 'node:crypto';
import { GuestfsError } from '../../base/index.js';

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

const headerLength = 64;
const segmentLength = 56;
const loadAddress = 0x400000;
/** By qemu's processor name: the ELF machine number, and the code. */
const machines: Readonly<Record<string, { readonly elfMachine: number; readonly code: Buffer }>> = {
  x86_64: { elfMachine: 62, code: x86Code },
};

/** One segment with the whole file, readable and executable; the entry point follows the headers. Little endian. */
function elf(elfMachine: number, code: Buffer): Buffer {
  const headers = Buffer.alloc(headerLength + segmentLength);
  const length = headers.length + code.length;
  headers.write('\x7fELF\x02\x01\x01', 0, 'latin1'); // 64 bits, little endian, version 1
  headers.writeUInt16LE(2, 16); // an executable
  headers.writeUInt16LE(elfMachine, 18);
  headers.writeUInt32LE(1, 20); // version
  headers.writeBigUInt64LE(BigInt(loadAddress + headers.length), 24); // entry
  headers.writeBigUInt64LE(BigInt(headerLength), 32); // where the segments are described
  headers.writeUInt16LE(headerLength, 52);
  headers.writeUInt16LE(segmentLength, 54);
  headers.writeUInt16LE(1, 56); // segments
  const segment = headers.subarray(headerLength);
  segment.writeUInt32LE(1, 0); // to be loaded
  segment.writeUInt32LE(5, 4); // readable, executable
  segment.writeBigUInt64LE(BigInt(loadAddress), 16);
  segment.writeBigUInt64LE(BigInt(loadAddress), 24);
  segment.writeBigUInt64LE(BigInt(length), 32); // in the file
  segment.writeBigUInt64LE(BigInt(length), 40); // in memory
  segment.writeBigUInt64LE(4096n, 48);
  return Buffer.concat([headers, code]);
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

/** Bytes of randomness; the kernel's generator uses 32. */
const poolBytes = 64;

/** The program's input: the time in milliseconds since 1970, and random bytes of this host. */
export function refreshInput(timeInMs = Date.now(), random: Uint8Array = randomBytes(poolBytes)): Buffer {
  const head = Buffer.alloc(24);
  const seconds = Math.floor(timeInMs / 1000);
  head.writeBigInt64LE(BigInt(seconds), 0);
  head.writeBigInt64LE(BigInt(Math.round((timeInMs - seconds * 1000) * 1e6)), 8); // nanoseconds
  head.writeInt32LE(random.length * 8, 16); // the credit in bits
  head.writeInt32LE(random.length, 20);
  return Buffer.concat([head, random]);
}
