/** From the guest to the host: trees, archives, and what is compressed on the way. */
import { systemError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { Place } from '../../vfs/index.js';
import { writeCpio } from '../host/archive/cpio.js';
import { writeTar } from '../host/archive/tar.js';
import { writeZip } from '../host/archive/zip.js';
import { BufferedSink } from '../host/buffered.js';
import { CompressingSink } from '../host/compressor.js';
import { type DataSink, move } from '../host/copy-data.js';
import { copyOut } from '../host/copy-out.js';
import { type FileOutSink, writeZeroes } from '../host/data-sinks.js';
import { fileContents } from '../session/contents.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

/** Exported for the compiler. */
export interface TarOptions {
  readonly compress?: string | undefined;
  /** Has no effect: owners are stored as numbers alone, which is right wherever the archive is unpacked. */
  readonly numericowner?: boolean | undefined;
  readonly excludes?: readonly string[] | undefined;
  readonly xattrs?: boolean | undefined;
  readonly selinux?: boolean | undefined;
  readonly acls?: boolean | undefined;
}

function directoryAt(call: Call, path: string): Place {
  const place = call.session.tree.resolve(path);
  if (place.type !== 'directory') throw systemError('ENOTDIR', path);
  return place;
}

/** Runs `work` with a sink that compresses on the way to the given one, or with the given one itself. */
function compressed(
  sink: FileOutSink,
  type: string | undefined,
  level: number | undefined,
  work: (to: DataSink) => void,
): void {
  if (type === undefined) return work(sink);
  const compressor = new CompressingSink(sink, type, level);
  work(compressor);
  compressor.finish();
}

function tarOut(call: Call, directory: string, sink: FileOutSink, options: TarOptions): void {
  const start = directoryAt(call, directory);
  const { xattrs = false, selinux = false, acls = false } = options;
  compressed(sink, options.compress, undefined, (to) =>
    writeTar(call, directory, start, to, {
      ...(options.excludes ? { excludes: options.excludes } : {}),
      ...(xattrs || selinux || acls ? { attributes: { xattrs, selinux, acls } } : {}),
    }),
  );
  call.session.damage.failIfPartial();
}

/** The engine's call behind the handle's `zipStream`. */
export function zipOut(
  call: Call,
  directory: string,
  sink: FileOutSink,
  excludes: readonly string[],
  level: number,
): void {
  writeZip(call, directory, directoryAt(call, directory), sink, { excludes, level });
  call.session.damage.failIfPartial();
}

/** Bytes and characters of a line, as in base64(1). */
const bytesInLine = 57;
const charactersInLine = 76;

/** Bytes in lines, each with its line feed; only the last line may be short. */
function base64Lines(bytes: Uint8Array): Uint8Array {
  const characters = Buffer.from(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
    'latin1',
  );
  const lines = new Uint8Array(characters.length + Math.ceil(characters.length / charactersInLine)).fill(
    0x0a,
  );
  let to = 0;
  for (let at = 0; at < characters.length; at += charactersInLine) {
    const line = characters.subarray(at, at + charactersInLine);
    lines.set(line, to);
    to += line.length + 1;
  }
  return lines;
}

function base64Out(call: Call, disk: Disk, sink: FileOutSink): void {
  const out = new BufferedSink(sink);
  let rest: Uint8Array = new Uint8Array(0);
  const encoder: DataSink = {
    keepsHoles: false,
    write(piece) {
      const bytes = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
      const whole = bytes.length - (bytes.length % bytesInLine);
      out.write(base64Lines(bytes.subarray(0, whole)));
      rest = bytes.slice(whole);
    },
    hole: (length) => writeZeroes(encoder, length),
  };
  move(call, disk, encoder);
  out.write(base64Lines(rest));
  out.flush();
}

export const transferHandlers = {
  copy_out: (call, path, directory) => copyOut(call, path, directory),
  tar_out: tarOut,
  tgz_out: (call, directory, sink) => tarOut(call, directory, sink, { compress: 'gzip' }),
  txz_out: (call, directory, sink) => tarOut(call, directory, sink, { compress: 'xz' }),
  cpio_out(call, directory, sink, { format }) {
    writeCpio(call, directory, directoryAt(call, directory), sink, format ?? 'newc');
    call.session.damage.failIfPartial();
  },
  base64_out: (call, path, sink) => base64Out(call, fileContents(call, path), sink),
  compress_out: (call, type, path, sink, { level }) =>
    compressed(sink, type, level, (to) => move(call, fileContents(call, path), to)),
  compress_device_out: (call, type, name, sink, { level }) =>
    compressed(sink, type, level, (to) => move(call, call.session.devices.resolve(name).disk, to)),
} satisfies TopicHandlers;
