/**
 * A program for the appliance that gives its kernel fresh randomness. A machine that goes on from a kept state would draw
 * the same numbers as every other one from that state: UUIDs, keys, temporary names. What is written to /dev/urandom is
 * mixed into the kernel's pool, but numbers are drawn from a generator that takes from the pool only now and then; the
 * ioctl that makes it do so at once has no program in the appliance. So this is one: an ELF executable of two system calls
 * that matter. Sources: System V ABI, AMD64 supplement; ELF-64 Object File Format 1.5; random(4).
 */
import { randomBytes } from 'node:crypto';
import { GuestfsError } from '../base/index.js';

/**
 * Opens /dev/random, adds the pool with its credit (RNDADDENTROPY), has the generator seeded anew (RNDRESEEDCRNG), and
 * exits with 0 or the errno of what failed. Position independent; the pool follows it.
 */
const x86Code = Buffer.from(
  [
    'b802000000', //           mov   eax, 2             open
    '488d3d43000000', //       lea   rdi, [rip + 0x43]  the path
    'be01000000', //           mov   esi, 1             O_WRONLY
    '31d2', //                 xor   edx, edx
    '0f05', //                 syscall
    '85c0782b', //             test  eax, eax; js fail
    '89c389c7', //             mov   ebx, eax; mov edi, eax
    'b810000000', //           mov   eax, 16            ioctl
    'be03520840', //           mov   esi, 0x40085203    RNDADDENTROPY
    '488d152d000000', //       lea   rdx, [rip + 0x2d]  the pool
    '0f05', //                 syscall
    '85c07510', //             test  eax, eax; jnz fail
    '89df', //                 mov   edi, ebx
    'b810000000', //           mov   eax, 16            ioctl
    'be07520000', //           mov   esi, 0x5207        RNDRESEEDCRNG
    '31d2', //                 xor   edx, edx
    '0f05', //                 syscall
    'f7d889c7', //       fail: neg   eax; mov edi, eax
    'b83c000000', //           mov   eax, 60            exit
    '0f05', //                 syscall
    Buffer.from('/dev/random\0').toString('hex'),
  ].join(''),
  'hex',
);

const headerLength = 64;
const segmentLength = 56;
const loadAddress = 0x400000;
/** By qemu's name of the processor: ELF's number of it, and the code. */
const machines: Readonly<Record<string, { readonly elfMachine: number; readonly code: Buffer }>> = {
  x86_64: { elfMachine: 62, code: x86Code },
};

/** Bytes of randomness; the kernel's generator takes 32. */
const poolBytes = 64;

/** One segment that holds the whole file, readable and executable, entered behind the headers. Little endian. */
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
export const canStir = (architecture: string): boolean => Object.hasOwn(machines, architecture);

/** The program, with randomness of this host in it. Throws GuestfsError (ENOTSUP) for a processor that it is not written for. */
export function stirringProgram(architecture: string, random: Uint8Array = randomBytes(poolBytes)): Buffer {
  const machine = Object.hasOwn(machines, architecture) ? machines[architecture] : undefined;
  if (machine === undefined)
    throw new GuestfsError('ENOTSUP', `a machine of ${architecture} cannot be given fresh randomness`);
  // struct rand_pool_info: the credit in bits, the length in bytes, the bytes.
  const head = Buffer.alloc(8);
  head.writeInt32LE(random.length * 8, 0);
  head.writeInt32LE(random.length, 4);
  return elf(machine.elfMachine, Buffer.concat([machine.code, head, random]));
}
