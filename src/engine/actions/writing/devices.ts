/** The bytes of devices: written, zeroed, scrubbed, and copied from one device to another. */
import { GuestfsError, systemError } from '../../../base/index.js';
import { areZeroes, type Disk } from '../../../disk/index.js';
import { move, receive } from '../../host/copy-data.js';
import type { FileInSource } from '../../host/data-sinks.js';
import { DiskSink } from '../../host/disk-sink.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { changeDevice, writableDevice } from './changed-device.js';
import { scrub } from './scrub.js';
import { eraseSignatures } from './signatures.js';

/** What `zero` overwrites: enough for the superblocks of most filesystems, and for the first of two GPTs. */
const zeroedStart = 32 * 4096;

const negative = (what: string): GuestfsError => new GuestfsError('EINVAL', `${what} is negative`);
const tooShort = (name: string, size: number): GuestfsError =>
  new GuestfsError('EINVAL', `${name}: is too short: there are not ${size} bytes to copy`);

/** Whether a range reads as zeroes. */
function isZero(disk: Disk, offset: number, length: number): boolean {
  const piece = new Uint8Array(Math.min(length, pieceLength));
  for (let at = offset; at < offset + length; ) {
    const span = disk.span(at, Math.min(piece.length, offset + length - at));
    const bytes = piece.subarray(0, span.length);
    if (!span.hole) disk.read(bytes, at);
    if (!span.hole && !areZeroes(bytes)) return false;
    at += span.length;
  }
  return true;
}

const pieceLength = 1024 * 1024;

/** Zeroes the first bytes of a device. As in libguestfs, what is zero already is not written, on any device. */
function zeroStart(call: Call, name: string, most: number): void {
  const found = call.session.devices.resolve(name);
  const length = Math.min(most, found.disk.size);
  let at = 0;
  const step = (): number => Math.min(pieceLength, length - at);
  for (; at < length && isZero(found.disk, at, step()); at += pieceLength) call.progress(at, length);
  if (at < length)
    changeDevice(call, writableDevice(call, name), (disk) => {
      for (; at < length; at += pieceLength) {
        call.progress(at, length);
        disk.zero(at, step(), { discard: true });
      }
    });
  call.progress(length, length);
}

function pwrite(call: Call, name: string, content: Uint8Array, offset: number): number {
  if (offset < 0) throw negative('the offset');
  const device = writableDevice(call, name);
  const { size } = device.disk;
  if (content.length === 0) return 0;
  if (offset >= size) throw systemError('ENOSPC', name);
  const bytes = content.subarray(0, size - offset);
  changeDevice(call, device, (disk) => disk.write(bytes, offset));
  return bytes.length;
}

export interface CopyOptions {
  readonly srcoffset?: number | undefined;
  readonly destoffset?: number | undefined;
  readonly size?: number | undefined;
  readonly sparse?: boolean | undefined;
}

/** Checks the options of a copy, and returns what is to be read. Nothing past the end is read without a `size`. */
export function copiedRange(
  from: Disk,
  source: string,
  options: CopyOptions,
): { offset: number; length: number } {
  const { srcoffset = 0, destoffset = 0, size } = options;
  if (srcoffset < 0) throw negative('srcoffset');
  if (destoffset < 0) throw negative('destoffset');
  if (size !== undefined && size < 0) throw negative('size');
  const left = Math.max(0, from.size - srcoffset);
  if (size !== undefined && size > left) throw tooShort(source, size);
  return { offset: srcoffset, length: size ?? left };
}

/** Copies bytes of a disk to a device. What does not fit is ENOSPC before the first byte. */
export function copyToDevice(
  call: Call,
  from: Disk,
  source: string,
  target: string,
  options: CopyOptions,
): void {
  const device = writableDevice(call, target);
  const { offset, length } = copiedRange(from, source, options);
  const { destoffset = 0, sparse = false } = options;
  device.disk.checkWritable(destoffset, length);
  changeDevice(call, device, (disk) =>
    move(call, from, new DiskSink(disk, { offset: destoffset, sparse }), { offset, length }),
  );
}

/** Copies from the host to a device, as much as there is: ENOSPC if that is more than the device holds. */
export function uploadToDevice(call: Call, source: FileInSource, name: string, offset = 0): void {
  if (offset < 0) throw negative('the offset');
  const device = writableDevice(call, name);
  device.disk.checkWritable(offset, source.sizeInBytes ?? 0);
  changeDevice(call, device, (disk) => void receive(call, source, new DiskSink(disk, { offset })));
}

export const deviceWritingHandlers = {
  pwrite_device: pwrite,
  zero: (call, name) => zeroStart(call, name, zeroedStart),
  zero_device: (call, name) => zeroStart(call, name, Number.MAX_SAFE_INTEGER),
  blkdiscard(call, name) {
    const { session } = call;
    const device = writableDevice(call, name);
    // As in qemu, a drive that was added without `discard` keeps its bytes.
    if ([...session.scan.drivesUnder(device)].some((drive) => session.drive(drive)?.discards !== true))
      return;
    changeDevice(call, device, (disk) => disk.zero(0, disk.size, { discard: true }));
  },
  scrub_device(call, name) {
    const device = writableDevice(call, name);
    changeDevice(call, device, (disk) => scrub(call, disk, name));
  },
  wipefs(call, name) {
    eraseSignatures(call, call.session.devices.resolve(name), { tables: true });
  },
  copy_device_to_device(call, source, target, { append, ...options }) {
    if (append === true)
      throw new GuestfsError('EINVAL', `${target}: a device has a fixed end: nothing is appended to it`);
    const from = call.session.devices.resolve(source).disk;
    copyToDevice(call, from, source, target, options);
  },
} satisfies TopicHandlers;
