/**
 * On-disk structures as tables, for reading and for writing: a field is an offset, and how a value lies there.
 *
 *     const header = struct('qcow2 header', 'big', 72, () => ({ magic: u32(0), version: u32(4), size: u64(24) }));
 *     const { version, size } = header.decode(view, 0);
 *     const bytes = header.encode({ magic, version: 3, size });
 *
 * A 64-bit field that is a count or an offset is a `number`: a value beyond 2^53 − 1 is a CorruptError. Masks and
 * opaque values use {@link bits64}, a bigint. A value that has no room in its field is a RangeError.
 */
import { CorruptError } from './errors.js';
import { decodePadded, encodeText } from './text.js';

export type Endian = 'little' | 'big';

/** One field: its place in the structure, and how it is read and written. Exported for the compiler. */
export interface Field<Value> {
  /** Offset in the structure, in bytes. */
  readonly at: number;
  /** Length in bytes. */
  readonly length: number;
  /** The value in the structure that begins at `base`. */
  read(view: DataView, base: number, little: boolean): Value;
  /** Puts a value into the structure that begins at `base`. Throws RangeError if the value does not fit. */
  write(view: DataView, base: number, value: Value, little: boolean): void;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;
export type Decoded<F extends Fields> = { -readonly [K in keyof F]: F[K] extends Field<infer V> ? V : never };

/**
 * Refuses values that are no whole number from `least` to `most`, because a DataView would silently keep the lower
 * bits.
 */
function checkFits(value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${value} is no whole number from ${least} to ${most}`);
}

/** A field of a length that its kind has. One object is all that a field takes: layouts have more than a thousand. */
abstract class PlacedField<Value> implements Field<Value> {
  readonly at: number;

  constructor(at: number) {
    this.at = at;
  }

  abstract get length(): number;
  abstract read(view: DataView, base: number, little: boolean): Value;
  abstract write(view: DataView, base: number, value: Value, little: boolean): void;
}

class U8 extends PlacedField<number> {
  get length(): number {
    return 1;
  }

  read(view: DataView, base: number): number {
    return view.getUint8(base + this.at);
  }

  write(view: DataView, base: number, value: number): void {
    checkFits(value, 0, 0xff);
    view.setUint8(base + this.at, value);
  }
}

class U16 extends PlacedField<number> {
  get length(): number {
    return 2;
  }

  read(view: DataView, base: number, little: boolean): number {
    return view.getUint16(base + this.at, little);
  }

  write(view: DataView, base: number, value: number, little: boolean): void {
    checkFits(value, 0, 0xffff);
    view.setUint16(base + this.at, value, little);
  }
}

class I16 extends PlacedField<number> {
  get length(): number {
    return 2;
  }

  read(view: DataView, base: number, little: boolean): number {
    return view.getInt16(base + this.at, little);
  }

  write(view: DataView, base: number, value: number, little: boolean): void {
    checkFits(value, -0x8000, 0x7fff);
    view.setInt16(base + this.at, value, little);
  }
}

class U32 extends PlacedField<number> {
  get length(): number {
    return 4;
  }

  read(view: DataView, base: number, little: boolean): number {
    return view.getUint32(base + this.at, little);
  }

  write(view: DataView, base: number, value: number, little: boolean): void {
    checkFits(value, 0, 0xffff_ffff);
    view.setUint32(base + this.at, value, little);
  }
}

class I32 extends PlacedField<number> {
  get length(): number {
    return 4;
  }

  read(view: DataView, base: number, little: boolean): number {
    return view.getInt32(base + this.at, little);
  }

  write(view: DataView, base: number, value: number, little: boolean): void {
    checkFits(value, -0x8000_0000, 0x7fff_ffff);
    view.setInt32(base + this.at, value, little);
  }
}

class U64 extends PlacedField<number> {
  get length(): number {
    return 8;
  }

  read(view: DataView, base: number, little: boolean): number {
    return readU64(view, base + this.at, little);
  }

  write(view: DataView, base: number, value: number, little: boolean): void {
    checkFits(value, 0, Number.MAX_SAFE_INTEGER);
    view.setUint32(base + this.at + (little ? 4 : 0), Math.floor(value / 0x1_0000_0000), little);
    view.setUint32(base + this.at + (little ? 0 : 4), value % 0x1_0000_0000, little);
  }
}

class Bits64 extends PlacedField<bigint> {
  get length(): number {
    return 8;
  }

  read(view: DataView, base: number, little: boolean): bigint {
    return view.getBigUint64(base + this.at, little);
  }

  write(view: DataView, base: number, value: bigint, little: boolean): void {
    if (value < 0n || value >> 64n !== 0n) throw new RangeError(`${value} has not 64 bits`);
    view.setBigUint64(base + this.at, value, little);
  }
}

class Bytes implements Field<Uint8Array> {
  readonly at: number;
  readonly length: number;

  constructor(at: number, length: number) {
    this.at = at;
    this.length = length;
  }

  read(view: DataView, base: number): Uint8Array {
    return partOf(view, base + this.at, this.length).slice();
  }

  write(view: DataView, base: number, value: Uint8Array): void {
    if (value.length !== this.length) throw new RangeError(`${value.length} bytes are not ${this.length}`);
    partOf(view, base + this.at, this.length).set(value);
  }
}

class Text implements Field<string> {
  readonly at: number;
  readonly length: number;

  constructor(at: number, length: number) {
    this.at = at;
    this.length = length;
  }

  read(view: DataView, base: number): string {
    return decodePadded(partOf(view, base + this.at, this.length));
  }

  write(view: DataView, base: number, value: string): void {
    const encoded = encodeText(value);
    if (encoded.length > this.length)
      throw new RangeError(`a text of ${encoded.length} bytes is longer than ${this.length}`);
    if (encoded.includes(0)) throw new RangeError('a text with a NUL would end there');
    const place = partOf(view, base + this.at, this.length);
    place.fill(0, encoded.length);
    place.set(encoded);
  }
}

export const u8 = (at: number): Field<number> => new U8(at);
export const u16 = (at: number): Field<number> => new U16(at);
export const i16 = (at: number): Field<number> => new I16(at);
export const u32 = (at: number): Field<number> => new U32(at);
export const i32 = (at: number): Field<number> => new I32(at);
/** A 64-bit count or offset; beyond 2^53 − 1 a CorruptError. */
export const u64 = (at: number): Field<number> => new U64(at);
/** 64 bits as they are: masks and opaque values. */
export const bits64 = (at: number): Field<bigint> => new Bits64(at);
/** A copy of `length` bytes; a written value must have exactly that length. */
export const bytes = (at: number, length: number): Field<Uint8Array> => new Bytes(at, length);
/** A name in a field of `length` bytes, ended by the first NUL. When written, it is filled with NULs. */
export const text = (at: number, length: number): Field<string> => new Text(at, length);

function partOf(view: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, length);
}

/** A 64-bit unsigned number; beyond 2^53 − 1 a CorruptError. `offset` is in bytes in `view`. */
function readU64(view: DataView, offset: number, little: boolean): number {
  const high = view.getUint32(offset + (little ? 4 : 0), little);
  const low = view.getUint32(offset + (little ? 0 : 4), little);
  if (high > 0x1fffff) throw new CorruptError('64-bit field', 'is beyond 2^53', { offset, high, low });
  return high * 0x1_0000_0000 + low;
}

/** A DataView of the same bytes. */
export function viewOf(array: Uint8Array): DataView {
  return new DataView(array.buffer, array.byteOffset, array.byteLength);
}

/** A structure: its name (for messages), its byte order, its size in bytes and its fields. */
export interface Struct<F extends Fields> {
  readonly name: string;
  readonly size: number;
  readonly fields: F;
  /** Reads every field of the structure at `base`. A structure that does not fit is a CorruptError. */
  decode(source: DataView | Uint8Array, base?: number): Decoded<F>;
  /** Reads one field, for hot loops that need few. The caller has checked that the structure fits. */
  get<K extends keyof F>(view: DataView, base: number, field: K): Decoded<F>[K];
  /**
   * Writes the given fields of the structure at `base` of `into`; every other byte stays unchanged. Without `into`, a
   * new array is made, whose other bytes are zero. Returns the array. Throws RangeError if the structure does not fit
   * into the array, or a value into its field; earlier fields are then written.
   */
  encode(values: Partial<Decoded<F>>, into?: Uint8Array, base?: number): Uint8Array;
  /**
   * Writes one field, for tables of many entries. The caller has checked that the structure fits. Throws RangeError.
   */
  set<K extends keyof F>(view: DataView, base: number, field: K, value: Decoded<F>[K]): void;
}

class Table<F extends Fields> implements Struct<F> {
  readonly name: string;
  readonly size: number;
  readonly #little: boolean;
  readonly #makeFields: () => F;
  #fields: F | undefined;
  /** The fields in their order, made when a structure is read first. */
  #entries: readonly (readonly [name: string, field: Field<unknown>])[] | undefined;

  constructor(name: string, endian: Endian, size: number, makeFields: () => F) {
    this.name = name;
    this.size = size;
    this.#makeFields = makeFields;
    this.#little = endian === 'little';
  }

  get fields(): F {
    this.#fields ??= this.#makeFields();
    return this.#fields;
  }

  decode(source: DataView | Uint8Array, base = 0): Decoded<F> {
    const view = source instanceof DataView ? source : viewOf(source);
    const { name, size } = this;
    if (base < 0 || base + size > view.byteLength) {
      throw new CorruptError(name, 'is cut short', { offset: base, size, available: view.byteLength });
    }
    this.#entries ??= checkedEntries(this);
    const decoded: Record<string, unknown> = {};
    for (const [key, field] of this.#entries) decoded[key] = field.read(view, base, this.#little);
    return decoded as Decoded<F>; // safe: one value per field, read by that field
  }

  get<K extends keyof F>(view: DataView, base: number, field: K): Decoded<F>[K] {
    return this.fields[field]?.read(view, base, this.#little) as Decoded<F>[K]; // safe: read by that field
  }

  encode(values: Partial<Decoded<F>>, into?: Uint8Array, base = 0): Uint8Array {
    const { name, size } = this;
    const array = into ?? new Uint8Array(base + size);
    if (base < 0 || base + size > array.length)
      throw new RangeError(`${name}: ${size} bytes do not fit at ${base} of ${array.length}`);
    const view = viewOf(array);
    for (const [field, value] of Object.entries(values)) {
      if (value === undefined) continue;
      try {
        this.fields[field]?.write(view, base, value, this.#little);
      } catch (cause) {
        if (cause instanceof RangeError)
          throw new RangeError(`${name}: ${field}: ${cause.message}`, { cause });
        throw cause;
      }
    }
    return array;
  }

  set<K extends keyof F>(view: DataView, base: number, field: K, value: Decoded<F>[K]): void {
    this.fields[field]?.write(view, base, value, this.#little);
  }
}

/** The fields of a structure. An Error for a table whose fields lie outside of it. */
function checkedEntries({
  name,
  size,
  fields,
}: Struct<Fields>): readonly (readonly [string, Field<unknown>])[] {
  const entries = Object.entries(fields);
  for (const [field, { at, length }] of entries) {
    if (at < 0 || at + length > size) throw new Error(`${name}: field ${field} lies outside the structure`);
  }
  return entries;
}

/** A table of fields, which are made when the structure is first used: a program has hundreds, and wants a few. */
export function struct<F extends Fields>(
  name: string,
  endian: Endian,
  size: number,
  fields: () => F,
): Struct<F> {
  return new Table(name, endian, size, fields);
}
