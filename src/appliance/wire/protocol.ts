/**
 * guestfsd's protocol, version 4: the frame around arguments and results. All words are big endian.
 *
 * A word with its length precedes each message and does not count itself. Four values are too large to be lengths:
 * the appliance is up, cancel a transfer, a progress report follows, and the ping in its place.
 *   request     length, header, arguments; then the chunks of an uploaded file
 *   reply       length, header, result or error; after a result the chunks of a downloaded file
 *   chunk       length, cancel (0 or 1), data with its length; one with no data is the end
 *   progress    flag, procedure, serial, position, total; at any time between messages
 */
import { bits64, type ErrnoName, GuestfsError, isErrnoName, struct, u32, u64 } from '../../base/index.js';
import { ProtocolError, type XdrReader, XdrWriter } from './xdr.js';

/** For tests. */
export const program = 0x2000f5f5;
/** For tests. */
export const protocolVersion = 4;

/** Special values in the place of a length. */
export const flags = { launch: 0xf5f55ff5, cancel: 0xffffeeee, progress: 0xffff5555 } as const;

/** The most bytes of a message, with its header, without the length word. */
export const longestMessage = 4 * 1024 * 1024;
export const headerLength = 40;
export const wordLength = 4;
export const progressLength = 24;
/** Bytes of data in one chunk, at most. */
export const longestChunk = 8192;
/** Bytes in front of a chunk's data, without the length word. */
export const chunkHeaderLength = 8;
/** The most bytes of an error's text, and of its errno name. For tests. */
export const longestError = 64 * 1024;
/** For tests. */
export const longestErrnoName = 32;

const direction = { call: 0, reply: 1 } as const;
const status = { ok: 0, error: 1 } as const;

/** Identifies the call that a message belongs to. */
export interface MessageHeader {
  readonly proc: number;
  readonly serial: number;
  readonly reply: boolean;
  readonly failed: boolean;
  /** Bytes that will follow in chunks; 0 if unknown. */
  readonly progressHint: number;
  readonly optionsMask: bigint;
}

/** The word of a message's length, and `struct guestfs_message_header`. */
const messageHeader = struct('message header', 'big', 44, () => ({
  length: u32(0),
  prog: u32(4),
  vers: u32(8),
  proc: u32(12),
  direction: u32(16),
  serial: u32(20),
  progress_hint: u64(24),
  optargs_bitmask: bits64(32),
  status: u32(40),
}));

/** Writes a header, with the length word of the whole message in front. */
export function writeHeader(into: Buffer, header: MessageHeader): void {
  messageHeader.encode(
    {
      length: into.length - wordLength,
      prog: program,
      vers: protocolVersion,
      proc: header.proc,
      direction: header.reply ? direction.reply : direction.call,
      serial: header.serial,
      progress_hint: header.progressHint,
      optargs_bitmask: header.optionsMask,
      status: header.failed ? status.error : status.ok,
    },
    into,
  );
}

/** Where the arguments or the result begin in a message; {@link writeHeader} completes it later. */
export const beforeBody = wordLength + headerLength;

/** Reads a header. Refuses another program or version. */
export function readHeader(reader: XdrReader): MessageHeader {
  const itsProgram = reader.uint32();
  if (itsProgram !== program) throw new ProtocolError(`a message of the program ${hexadecimal(itsProgram)}`);
  const version = reader.uint32();
  if (version !== protocolVersion) throw new ProtocolError(`a message of the protocol's version ${version}`);
  const proc = reader.uint32();
  const itsDirection = reader.uint32();
  if (itsDirection > direction.reply) throw new ProtocolError(`a message with the direction ${itsDirection}`);
  const serial = reader.uint32();
  const hint = reader.bits64();
  const optionsMask = reader.bits64();
  const itsStatus = reader.uint32();
  if (itsStatus > status.error) throw new ProtocolError(`a message with the status ${itsStatus}`);
  return {
    proc,
    serial,
    reply: itsDirection === direction.reply,
    failed: itsStatus === status.error,
    progressHint: Number(hint),
    optionsMask,
  };
}

export const hexadecimal = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

/** The daemon's error: an errno name, which may be empty, and a text. */
export interface DaemonError {
  readonly errnoName: string;
  readonly text: string;
}

export function readError(reader: XdrReader): DaemonError {
  const errnoName = reader.string(longestErrnoName);
  const text = reader.string(longestError);
  reader.end();
  return { errnoName, text };
}

/** For tests. */
export function writeError(writer: XdrWriter, error: DaemonError): void {
  writer.string(error.errnoName);
  writer.string(error.text);
}

/** The code for an errno name: EIO if it is empty (a program of the appliance failed), EINVAL if it is unknown. */
function codeOf(errnoName: string): ErrnoName {
  if (errnoName === '') return 'EIO';
  if (errnoName === 'EDEADLOCK') return 'EDEADLK';
  return isErrnoName(errnoName) ? errnoName : 'EINVAL';
}

/** The daemon's error as the failure of an action. */
export function failureOf({ errnoName, text }: DaemonError): GuestfsError {
  return new GuestfsError(codeOf(errnoName), text.trimEnd());
}

/** The progress of a call. The numbers exceed exact integers only if the length is unknown. */
export interface ProgressMessage {
  readonly proc: number;
  readonly serial: number;
  readonly position: number;
  readonly total: number;
}

export function readProgress(reader: XdrReader): ProgressMessage {
  const proc = reader.uint32();
  const serial = reader.uint32();
  return { proc, serial, position: Number(reader.bits64()), total: Number(reader.bits64()) };
}

/** The cancel flag, as it is sent. */
export const cancelFlag: Buffer = wordOf(flags.cancel);

/** A chunk without data: the end of an uploaded file. */
export const endChunk: Buffer = emptyChunk(false);
/** A chunk that ends an upload as incomplete. */
export const cancelChunk: Buffer = emptyChunk(true);

function wordOf(value: number): Buffer {
  const writer = new XdrWriter();
  writer.uint32(value);
  return writer.finish();
}

function emptyChunk(cancel: boolean): Buffer {
  const writer = new XdrWriter();
  writer.uint32(chunkHeaderLength);
  writer.bool(cancel);
  writer.opaque(new Uint8Array(0));
  return writer.finish();
}
