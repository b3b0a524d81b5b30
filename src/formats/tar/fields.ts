/** The numbers and the records of tar archives, as they are written. */
import { CorruptError, checksumHolds, decodeLatin1, decodeText } from '../../base/index.js';
import { type TarField, tarFields } from './layout.js';

export const corruptTar = (
  problem: string,
  details?: Readonly<Record<string, number | string>>,
): CorruptError => new CorruptError('tar archive', problem, details);

const isBlank = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** Octal digits between blanks and NULs, or base 256 if the first bit is set: in the bytes from `from` to `end`. */
export function readOctal(bytes: Uint8Array, from = 0, end = bytes.length): number {
  const first = bytes[from] ?? 0;
  if (first & 0x80) {
    let value = BigInt(first & 0x7f);
    for (const byte of bytes.subarray(from + 1, end)) value = (value << 8n) | BigInt(byte);
    // All bits except the marking bit are the number, in two's complement.
    const signed = BigInt.asIntN(8 * (end - from) - 1, value);
    if (signed > BigInt(Number.MAX_SAFE_INTEGER) || signed < BigInt(Number.MIN_SAFE_INTEGER))
      throw corruptTar('has a number beyond 2^53');
    return Number(signed);
  }
  // Byte by byte, and where they lie: an archive has ten of them for each member.
  const byteAt = (at: number): number => (at < end ? (bytes[at] ?? 0) : 0);
  let at = from;
  while (isBlank(byteAt(at))) at++;
  let value = 0;
  const start = at;
  for (let digit = byteAt(at) - 0x30; digit >= 0 && digit < 8; digit = byteAt(++at) - 0x30)
    value = value * 8 + digit;
  const count = at - start;
  while (isBlank(byteAt(at))) at++;
  if (byteAt(at) !== 0 || count > 12) throw corruptTar('has a number that is not octal');
  return value;
}

/** The number in a field of a header. */
export function readNumber(block: Uint8Array, name: TarField): number {
  const [at, length] = tarFields[name];
  return readOctal(block, at, at + length);
}

/** Records `LENGTH KEY=VALUE\n`; the length counts the whole record. */
export function readRecords(bytes: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length && bytes[at] !== 0; ) {
    const blank = bytes.indexOf(0x20, at);
    const digits = blank < 0 ? '' : decodeLatin1(bytes.subarray(at, Math.min(blank, at + 10)));
    const end = /^[0-9]{1,8}$/.test(digits) ? at + Number(digits) : 0;
    const record = bytes.subarray(blank + 1, end);
    const equals = record.indexOf(0x3d);
    if (end > bytes.length || blank + 1 >= end || equals < 0 || record.at(-1) !== 0x0a)
      throw corruptTar('has a pax record that cannot be read', { at });
    records.set(decodeText(record.subarray(0, equals)), decodeText(record.subarray(equals + 1, -1)));
    at = end;
  }
  return records;
}

export function wholeNumber(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Math.floor(Number(text));
  if (!/^-?[0-9.]{1,32}$/.test(text) || !Number.isSafeInteger(value))
    throw corruptTar('has an impossible pax number');
  return value;
}

/** Throws CorruptError unless the checksum of a header is right. */
export function checkTarHeader(block: Uint8Array): void {
  const [sumAt, sumLength] = tarFields.checksum;
  let sum = sumLength * 0x20;
  for (let at = 0; at < sumAt; at++) sum += block[at] ?? 0;
  for (let at = sumAt + sumLength; at < block.length; at++) sum += block[at] ?? 0;
  if (!checksumHolds(sum, readNumber(block, 'checksum')))
    throw corruptTar('has a header with a wrong checksum');
}
