/**
 * Which places of an image a parser reads: damage goes there, since of most images the larger part is contents and empty
 * room. Contents of files are left out; a parser passes them on without looking.
 */
import { type Disk, MemoryDisk } from '../src/disk/index.js';

type Note = (offset: number, length: number) => void;

let note: Note | undefined;
let isQuiet = false;

/** A parser reads a place of the input. */
export function noteRead(offset: number, length: number): void {
  if (!isQuiet) note?.(offset, length);
}

class TracedDisk extends MemoryDisk {
  override read(into: Uint8Array, offset: number): void {
    noteRead(offset, into.length);
    super.read(into, offset);
  }
}

/** An input as a disk that cannot be written. */
export function diskOf(bytes: Uint8Array): Disk {
  return note === undefined ? new MemoryDisk(bytes) : new TracedDisk(bytes);
}

/** Reads that are not metadata. */
export function quietly(work: () => void): void {
  const before = isQuiet;
  isQuiet = true;
  try {
    work();
  } finally {
    isQuiet = before;
  }
}

/** Tells of every read of the disks that are made while `work` runs. */
export async function tracing(hear: Note, work: () => Promise<void>): Promise<void> {
  note = hear;
  try {
    await work();
  } finally {
    note = undefined;
  }
}
