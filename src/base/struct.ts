/**
 * On-disk structures as tables, for reading and for writing: a field is an offset, and how a value lies there.
 *
 *     const header = struct('qcow2 header', 'big', 72, { magic: u32(0), version: u32(4), size: u64(24) });
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

export const u8 = (at: number): Field<number> => ({
  at,
  length: 1,
  read: (view, base) => view.getUint8(base + at),
  write(view, base, value) {
    checkFits(value, 0, 0xff);
    view.setUint8(base + at, value);
  },
});
export const u16 = (at: number): Field<number> => ({
  at,
  length: 2,
  read: (view, base, little) => view.getUint16(base + at, little),
  write(view, base, value, little) {
    checkFits(value, 0, 0xffff);
    view.setUint16(base + at, value, little);
  },
});
export const i16 = (at: number): Field<number> => ({
  at,
  length: 2,
  read: (view, base, little) => view.getInt16(base + at, little),
  write(view, base, value, little) {
    checkFits(value, -0x8000, 0x7fff);
    view.setInt16(base + at, value, little);
  },
});
export const u32 = (at: number): Field<number> => ({
  at,
  length: 4,
  read: (view, base, little) => view.getUint32(base + at, little),
  write(view, base, value, little) {
    checkFits(value, 0, 0xffff_ffff);
    view.setUint32(base + at, value, little);
  },
});
export const i32 = (at: number): Field<number> => ({
  at,
  length: 4,
  read: (view, base, little) => view.getInt32(base + at, little),
  write(view, base, value, little) {
    checkFits(value, -0x8000_0000, 0x7fff_ffff);
    view.setInt32(base + at, value, little);
  },
});
/** A 64-bit count or offset; beyond 2^53 − 1 a CorruptError. */
export const u64 = (at: number): Field<number> => ({
  at,
  length: 8,
  read: (view, base, little) => readU64(view, base + at, little),
  write(view, base, value, little) {
    checkFits(value, 0, Number.MAX_SAFE_INTEGER);
    view.setUint32(base + at + (little ? 4 : 0), Math.floor(value / 0x1_0000_0000), little);
    view.setUint32(base + at + (little ? 0 : 4), value % 0x1_0000_0000, little);
  },
});
/** 64 bits as they are: masks and opaque values. */
export const bits64 = (at: number): Field<bigint> => ({
  at,
  length: 8,
  read: (view, base, little) => view.getBigUint64(base + at, little),
  write(view, base, value, little) {
    if (value < 0n || value >> 64n !== 0n) throw new RangeError(`${value} has not 64 bits`);
    view.setBigUint64(base + at, value, little);
  },
});
/** A copy of `length` bytes; a written value must have exactly that length. */
export const bytes = (at: number, length: number): Field<Uint8Array> => ({
  at,
  length,
  read: (view, base) => partOf(view, base + at, length).slice(),
  write(view, base, value) {
    if (value.length !== length) throw new RangeError(`${value.length} bytes are not ${length}`);
    partOf(view, base + at, length).set(value);
  },
});
/** A name in a field of `length` bytes, ended by the first NUL. When written, it is filled with NULs. */
export const text = (at: number, length: number): Field<string> => ({
  at,
  length,
  read: (view, base) => decodePadded(partOf(view, base + at, length)),
  write(view, base, value) {
    const encoded = encodeText(value);
    if (encoded.length > length)
      throw new RangeError(`a text of ${encoded.length} bytes is longer than ${length}`);
    if (encoded.includes(0)) throw new RangeError('a text with a NUL would end there');
    const place = partOf(view, base + at, length);
    place.fill(0, encoded.length);
    place.set(encoded);
  },
});

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

export function struct<F extends Fields>(name: string, endian: Endian, size: number, fields: F): Struct<F> {
  const little = endian === 'little';
  const entries = Object.entries(fields);
  for (const [field, { at, length }] of entries) {
    if (at < 0 || at + length > size) throw new Error(`${name}: field ${field} lies outside the structure`);
  }
  return {
    name,
    size,
    fields,
    decode(source, base = 0) {
      const view = source instanceof DataView ? source : viewOf(source);
      if (base < 0 || base + size > view.byteLength) {
        throw new CorruptError(name, 'is cut short', { offset: base, size, available: view.byteLength });
      }
      const decoded: Record<string, unknown> = {};
      for (const [field, { read }] of entries) decoded[field] = read(view, base, little);
      return decoded as Decoded<F>; // safe: one value per field, read by that field
    },
    get(view, base, field) {
      return fields[field]?.read(view, base, little) as Decoded<F>[typeof field]; // safe: read by that field
    },
    encode(values, into, base = 0) {
      const array = into ?? new Uint8Array(base + size);
      if (base < 0 || base + size > array.length)
        throw new RangeError(`${name}: ${size} bytes do not fit at ${base} of ${array.length}`);
      const view = viewOf(array);
      for (const [field, value] of Object.entries(values)) {
        if (value === undefined) continue;
        try {
          fields[field]?.write(view, base, value, little);
        } catch (cause) {
          if (cause instanceof RangeError)
            throw new RangeError(`${name}: ${field}: ${cause.message}`, { cause });
          throw cause;
        }
      }
      return array;
    },
    set(view, base, field, value) {
      fields[field]?.write(view, base, value, little);
    },
  };
}
