/** What is in files: written, made longer and shorter, filled, brought from the host. */
import { encodeText, GuestfsError, systemError } from '../../../base/index.js';
import { currentTime } from '../../../fs/index.js';
import type { OpenFile, TreeWriter } from '../../../vfs/index.js';
import { receive } from '../../host/copy-data.js';
import type { FileInSource } from '../../host/data-sinks.js';
import { DiskSink } from '../../host/disk-sink.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { Base64Decoder } from '../../words/base64.js';
import { uploadToDevice } from './devices.js';
import { bytesOf, checkNotNegative, fileMode, treeWriter, withContents } from './writer.js';

type Opening = Parameters<TreeWriter['open']>[1];

/** Opens a file, runs `work` with a sink at an offset, or at the end, and closes the file. */
function writeTo(
  call: Call,
  path: string,
  opening: Opening,
  work: (to: DiskSink, file: OpenFile) => void,
  at: number | 'end' = 0,
): void {
  const file = treeWriter(call).open(path, opening);
  withContents(file.contents, (contents) =>
    work(new DiskSink(contents, { offset: at === 'end' ? contents.size : at }), file),
  );
}

const anew = { create: fileMode, truncate: true } as const;
const orNew = { create: fileMode } as const;

/** A file of its own is touched. As in libguestfs, nothing else is. */
function touchFile(call: Call, path: string): void {
  const found = call.session.tree.find(path, { followLast: false });
  if (found !== undefined && found.type !== 'file')
    throw new GuestfsError('EINVAL', `${path}: touch can only be used on a regular file`, { path });
  const writer = treeWriter(call);
  const { place, contents } = writer.open(path, orNew);
  withContents(contents, () => {
    const now = currentTime();
    writer.setTimesOf(place, { accessed: now, modified: now }, path);
  });
}

/** The longest file, as in the kernel: what `off_t` can count; we count less exactly from 2^53 on. */
function truncateTo(call: Call, path: string, size: number): void {
  const { contents } = treeWriter(call).open(path);
  withContents(contents, () => {
    if (size < 0) throw systemError('EINVAL', path);
    contents.resize(size);
  });
}

/** Takes space for a file that is made anew: all of it, or the file is left empty. */
function allocate(call: Call, path: string, length: number): void {
  const writer = treeWriter(call);
  const file = writer.open(path, anew);
  withContents(file.contents, () => {
    // posix_fallocate(3): a length of nothing is none.
    if (length <= 0) throw systemError('EINVAL', path);
    writer.allocate(file, 0, length, path);
  });
}

const pieceLength = 256 * 1024;

/** A pattern again and again, `length` bytes of it. */
function fill(call: Call, path: string, pattern: Uint8Array, length: number): void {
  if (length < 0) throw new GuestfsError('EINVAL', `${length}: length is < 0`, { path });
  const repeats = Math.max(1, Math.floor(pieceLength / pattern.length));
  const piece = new Uint8Array(Math.min(repeats, Math.ceil(length / pattern.length)) * pattern.length);
  for (let at = 0; at < piece.length; at += pattern.length) piece.set(pattern, at);
  writeTo(call, path, anew, (to) => {
    for (let done = 0; done < length; done += piece.length) {
      call.progress(done, length);
      to.write(piece.subarray(0, Math.min(piece.length, length - done)));
    }
  });
}

/** Brings a host file or a stream to a file or a device. Every name under /dev is a device's. */
function bring(call: Call, source: FileInSource, name: string, opening: Opening, offset: number): void {
  if (name.startsWith('/dev/')) uploadToDevice(call, source, name, offset);
  else writeTo(call, name, opening, (to) => void receive(call, source, to), offset);
}

export const fileWritingHandlers = {
  write: (call, path, content) => writeTo(call, path, anew, (to) => to.write(bytesOf(content))),
  write_append: (call, path, content) =>
    writeTo(call, path, orNew, (to) => to.write(bytesOf(content)), 'end'),
  write_file(call, path, content, size) {
    checkNotNegative(size, 'size', path);
    const bytes = encodeText(content);
    writeTo(call, path, anew, (to) => to.write(size === 0 ? bytes : bytes.subarray(0, size)));
  },
  pwrite(call, path, content, offset) {
    checkNotNegative(offset, 'offset', path);
    const bytes = bytesOf(content);
    writeTo(call, path, {}, (to) => to.write(bytes), offset);
    return bytes.length;
  },
  touch: touchFile,
  truncate: (call, path) => truncateTo(call, path, 0),
  truncate_size: truncateTo,
  fallocate: allocate,
  fallocate64: allocate,
  fill(call, byte, length, path) {
    if (byte < 0 || byte > 255)
      throw new GuestfsError('EINVAL', `${byte}: byte number must be in range 0..255`);
    fill(call, path, Uint8Array.of(byte), length);
  },
  fill_pattern(call, pattern, length, path) {
    const bytes = encodeText(pattern);
    if (bytes.length === 0) throw new GuestfsError('EINVAL', 'pattern string must be non-empty');
    fill(call, path, bytes, length);
  },
  upload: (call, source, name) => bring(call, source, name, anew, 0),
  upload_offset(call, source, name, offset) {
    checkNotNegative(offset, 'offset', name);
    bring(call, source, name, orNew, offset);
  },
  base64_in: (call, source, path) =>
    writeTo(call, path, anew, (to) => {
      const decoder = new Base64Decoder((bytes) => to.write(bytes));
      receiveInto(call, source, decoder);
    }),
} satisfies TopicHandlers;

function receiveInto(call: Call, source: FileInSource, decoder: Base64Decoder): void {
  receive(call, source, { keepsHoles: false, write: (bytes) => decoder.take(bytes), hole() {} });
  decoder.finish();
}
