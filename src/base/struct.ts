/**
 * On-disk structures as tables: a field is an offset and how to read it there.
 *
 *     const header = struct('qcow2 header', 'big', 72, { magic: u32(0), version: u32(4), size: u64(24) });
 *     const { version, size } = header.decode(view, 0);
 *
 * A 64-bit field that is a count or an offset is a `number`: a value beyond 2^53 − 1 is a CorruptError. Masks and
 * opaque values use {@link bits64}, a bigint.
 */
import { CorruptError } from './errors.js';
import { decodePadded } from './text.js';

export type Endian = 'little' | 'big';

/** One field: where it lies in its structure and how it is read. */
export interface Field<Value> {
  /** Offset in the structure, in bytes. */
  readonly at: number;
  /** Length in bytes. */
  readonly length: number;
  read(view: DataView, base: number, little: boolean): Value;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;
export type Decoded<F extends Fields> = { -readonly [K in keyof F]: F[K] extends Field<infer V> ? V : never };

export const u8 = (at: number): Field<number> => ({
  at,
  length: 1,
  read: (view, base) => view.getUint8(base + at),
});
export const i8 = (at: number): Field<number> => ({
  at,
  length: 1,
  read: (view, base) => view.getInt8(base + at),
});
export const u16 = (at: number): Field<number> => ({
  at,
  length: 2,
  read: (view, base, little) => view.getUint16(base + at, little),
});
export const i16 = (at: number): Field<number> => ({
  at,
  length: 2,
  read: (view, base, little) => view.getInt16(base + at, little),
});
export const u32 = (at: number): Field<number> => ({
  at,
  length: 4,
  read: (view, base, little) => view.getUint32(base + at, little),
});
export const i32 = (at: number): Field<number> => ({
  at,
  length: 4,
  read: (view, base, little) => view.getInt32(base + at, little),
});
/** A 64-bit count or offset; beyond 2^53 − 1 a CorruptError. */
export const u64 = (at: number): Field<number> => ({
  at,
  length: 8,
  read: (view, base, little) => readU64(view, base + at, little),
});
/** A 64-bit signed number; beyond ±(2^53 − 1) a CorruptError. */
export const i64 = (at: number): Field<number> => ({
  at,
  length: 8,
  read(view, base, little) {
    const value = Number(view.getBigInt64(base + at, little));
    if (!Number.isSafeInteger(value))
      throw new CorruptError('64-bit field', 'is out of range', { offset: base + at });
    return value;
  },
});
/** 64 bits as they are: masks and opaque values. */
export const bits64 = (at: number): Field<bigint> => ({
  at,
  length: 8,
  read: (view, base, little) => view.getBigUint64(base + at, little),
});
/** A copy of `length` bytes. */
export const bytes = (at: number, length: number): Field<Uint8Array> => ({
  at,
  length,
  read: (view, base) => new Uint8Array(view.buffer, view.byteOffset + base + at, length).slice(),
});
/** A name in a field of `length` bytes, ended by the first NUL. */
export const text = (at: number, length: number): Field<string> => ({
  at,
  length,
  read: (view, base) => decodePadded(new Uint8Array(view.buffer, view.byteOffset + base + at, length)),
});

/** A 64-bit unsigned number; beyond 2^53 − 1 a CorruptError. `offset` is in bytes in `view`. */
export function readU64(view: DataView, offset: number, little: boolean): number {
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
  /** Reads one field: for hot loops that need few. The caller has checked that the structure fits. */
  get<K extends keyof F>(view: DataView, base: number, field: K): Decoded<F>[K];
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
  };
}
