/** What the probes here are made of: bounded reads of a disk, and texts and UUIDs in fixed fields. */
import { decodePadded, formatUuid, readMaybe, trimBlanks } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { type FileSystemDriver, type ProbeContext, plainDisk } from '../driver.js';

/** The bytes at `offset` of a disk as a view; undefined where they do not all lie on it. */
export function viewMaybe(disk: Disk, offset: number, length: number): DataView | undefined {
  const raw = readMaybe(disk, offset, length);
  return raw && new DataView(raw.buffer);
}

/** The bytes of a view's part; the caller has checked that the view holds it. */
export function part(view: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, length);
}

/** ASCII in a view. */
export function ascii(view: DataView, at: number, length: number): string {
  return String.fromCharCode(...part(view, at, length));
}

/** A name in a fixed field: up to a NUL, without blanks at its end. */
export function label(view: DataView, at: number, length: number): string {
  return trimBlanks(decodePadded(part(view, at, length)));
}

/** A name in UTF-16 of at most `units` units: up to a NUL, without blanks at its end. */
export function label16(view: DataView, at: number, units: number, little: boolean): string {
  let text = '';
  for (let i = 0; i < units; i++) {
    const unit = view.getUint16(at + i * 2, little);
    if (unit === 0) break;
    text += String.fromCharCode(unit);
  }
  return trimBlanks(text.replace(/[\ud800-\udfff]/gu, '\ufffd'));
}

/** A size that is told as its logarithm; empty for what no size can be. */
export function powerOfTwo(log: number): string {
  return log < 32 ? String(2 ** log) : '';
}

/** A UUID of 16 bytes; empty where they are all zero. */
export function uuid(view: DataView, at: number): string {
  const raw = part(view, at, 16);
  return raw.every((byte) => byte === 0) ? '' : formatUuid(raw);
}

/** What a probe finds; what is left out, or empty, is not told. */
export interface Found {
  readonly label?: string;
  readonly uuid?: string;
  readonly facts?: Readonly<Record<string, string>>;
}

/** What is known of a kind beside how it looks: see {@link FileSystemDriver}. */
export type KindOptions = Partial<
  Pick<FileSystemDriver, 'usage' | 'minimumSize' | 'tolerant' | 'wholeDisksOnly'>
>;

/** A driver that knows a format by sight only: a filesystem where nothing else is said. */
export function signature(
  type: string,
  look: (disk: Disk, context: ProbeContext) => Found | undefined,
  options: KindOptions = {},
): FileSystemDriver {
  const usage = options.usage ?? 'filesystem';
  return {
    name: type,
    types: [type],
    ...options,
    usage,
    probe(disk, context = plainDisk) {
      const found = look(disk, context);
      if (found === undefined) return undefined;
      const { label = '', uuid = '', facts = {} } = found;
      const told = Object.entries(facts).filter(([, value]) => value !== '');
      return { type, label, uuid, facts: { ...Object.fromEntries(told), USAGE: usage } };
    },
  };
}
