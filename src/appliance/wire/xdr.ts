/**
 * XDR (RFC 4506), as far as guestfsd uses it: big-endian words of 4 bytes, everything padded to a multiple of 4. A
 * reader compares each length with the available bytes before using it.
 */
import { decodeText, encodeText, GuestfsError } from '../../base/index.js';

/** The daemon broke the protocol, so no later byte can be trusted. EIO. */
export class ProtocolError extends GuestfsError {
  override name = 'ProtocolError';

  constructor(problem: string) {
    super('EIO', `the appliance's daemon sent what it must not: ${problem}`);
  }
}

const word = 4;
const twoTo32 = 0x1_0000_0000;
/** The initial size of a message's buffer in bytes: nearly all requests fit. */
const usualLength = 256;

const padding = (length: number): number => -length & 3;

/** Writes values one after another into memory that grows. */
export class XdrWriter {
  #bytes: Buffer;
  #length = 0;

  /** `reserved`: bytes kept free at the beginning, for values that are known last. */
  constructor(reserved = 0) {
    this.#bytes = Buffer.allocUnsafe(reserved + usualLength);
    this.#length = reserved;
  }

  get length(): number {
    return this.#length;
  }

  /** Everything written so far, with the reserved bytes in front. Shares the writer's memory. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room for `count` bytes and returns its position. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length = at + count;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    return at;
  }

  int32(value: number): void {
    const at = this.#grow(word);
    this.#bytes.writeInt32BE(value, at);
  }

  uint32(value: number): void {
    const at = this.#grow(word);
    this.#bytes.writeUInt32BE(value, at);
  }

  /** A whole number within ±(2^53 − 1). */
  int64(value: number): void {
    const at = this.#grow(2 * word);
    this.#bytes.writeInt32BE(Math.floor(value / twoTo32), at);
    this.#bytes.writeUInt32BE(value >>> 0, at + word);
  }

  /** 64 bits, unsigned. */
  bits64(value: bigint): void {
    const at = this.#grow(2 * word);
    this.#bytes.writeBigUInt64BE(value, at);
  }

  float(value: number): void {
    const at = this.#grow(word);
    this.#bytes.writeFloatBE(value, at);
  }

  bool(value: boolean): void {
    this.uint32(value ? 1 : 0);
  }

  /** Bytes of a length that both ends know. */
  fixed(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length + padding(bytes.length));
    this.#bytes.set(bytes, at);
    this.#bytes.fill(0, at + bytes.length, this.#length);
  }

  /** Bytes with their length in front. */
  opaque(bytes: Uint8Array): void {
    this.uint32(bytes.length);
    this.fixed(bytes);
  }

  string(text: string): void {
    this.opaque(encodeText(text));
  }

  /** A string or nothing. */
  optString(text: string | null): void {
    this.bool(text !== null);
    if (text !== null) this.string(text);
  }

  list<T>(elements: readonly T[], write: (writer: XdrWriter, element: T) => void): void {
    this.uint32(elements.length);
    for (const element of elements) write(this, element);
  }
}

/** Reads values one after another from complete bytes. Throws a ProtocolError if they are too short. */
export class XdrReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Bytes not yet read. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Everything must have been read. */
  end(): void {
    if (this.left !== 0) throw new ProtocolError(`${this.left} bytes too many in a message`);
  }

  #take(count: number): number {
    if (count > this.left) throw new ProtocolError(`${this.left} bytes where ${count} belong`);
    const at = this.#at;
    this.#at = at + count;
    return at;
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(word));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(word));
  }

  /** Throws ERANGE for a number that JavaScript cannot hold exactly. */
  int64(): number {
    const at = this.#take(2 * word);
    return exact(this.#bytes.readInt32BE(at) * twoTo32 + this.#bytes.readUInt32BE(at + word), () =>
      this.#bytes.readBigInt64BE(at),
    );
  }

  /** Throws ERANGE for a number that JavaScript cannot hold exactly. */
  uint64(): number {
    const at = this.#take(2 * word);
    return exact(this.#bytes.readUInt32BE(at) * twoTo32 + this.#bytes.readUInt32BE(at + word), () =>
      this.#bytes.readBigUInt64BE(at),
    );
  }

  bits64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(2 * word));
  }

  float(): number {
    return this.#bytes.readFloatBE(this.#take(word));
  }

  bool(): boolean {
    const value = this.uint32();
    if (value > 1) throw new ProtocolError(`${value} as a boolean`);
    return value === 1;
  }

  /** Bytes of a length that both ends know. Shares the message's memory. */
  fixed(length: number): Buffer {
    const at = this.#take(length + padding(length));
    return this.#bytes.subarray(at, at + length);
  }

  /** Bytes with their length in front, at most `longest` of them. Shares the message's memory. */
  opaque(longest = Number.POSITIVE_INFINITY): Buffer {
    const length = this.uint32();
    if (length > longest) throw new ProtocolError(`${length} bytes where ${longest} are the most`);
    return this.fixed(length);
  }

  /** `longest` in bytes. */
  string(longest?: number): string {
    return decodeText(this.opaque(longest));
  }

  optString(): string | null {
    return this.bool() ? this.string() : null;
  }

  /** `shortest`: the fewest bytes of an element. A count that would need more bytes than there are is refused. */
  list<T>(shortest: number, read: (reader: XdrReader) => T): T[] {
    const count = this.uint32();
    if (count * shortest > this.left)
      throw new ProtocolError(`a list of ${count} elements in ${this.left} bytes`);
    const elements: T[] = [];
    for (let i = 0; i < count; i++) elements.push(read(this));
    return elements;
  }
}

function exact(value: number, whole: () => bigint): number {
  if (Number.isSafeInteger(value)) return value;
  throw new GuestfsError('ERANGE', `${whole()} is beyond 2^53, where numbers are exact`);
}
