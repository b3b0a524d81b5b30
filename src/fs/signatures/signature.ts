/** What the probes here are made of: bounded reads of a disk, and texts and UUIDs in fixed fields. */
import { decodeText, formatUuid } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { FileSystemDriver, Probed } from '../driver.js';

/** The bytes at `offset` of a disk; undefined where they do not all lie on it. */
export function readMaybe(disk: Disk, offset: number, length: number): Uint8Array | undefined {
  if (!(offset >= 0 && offset + length <= disk.size)) return undefined;
  const into = new Uint8Array(length);
  disk.read(into, offset);
  return into;
}

/** The same, as a view. */
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

const trailingBlanks = /[ \t\n\v\f\r]+$/;

/** A name in a fixed field: up to a NUL, without blanks at its end. */
export function label(view: DataView, at: number, length: number): string {
  const raw = part(view, at, length);
  const end = raw.indexOf(0);
  return decodeText(end < 0 ? raw : raw.subarray(0, end)).replace(trailingBlanks, '');
}

/** A name in UTF-16 of at most `units` units: up to a NUL, without blanks at its end. */
export function label16(view: DataView, at: number, units: number, little: boolean): string {
  let text = '';
  for (let i = 0; i < units; i++) {
    const unit = view.getUint16(at + i * 2, little);
    if (unit === 0) break;
    text += String.fromCharCode(unit);
  }
  return text.replace(/[\ud800-\udfff]/gu, '\ufffd').replace(trailingBlanks, '');
}

/** A UUID of 16 bytes; empty where they are all zero. */
export function uuid(view: DataView, at: number): string {
  const raw = part(view, at, 16);
  return raw.every((byte) => byte === 0) ? '' : formatUuid(raw);
}

/** What a probe finds; what is left out is empty. `usage` is blkid's class of what it is. */
export function found(
  type: string,
  values: {
    label?: string;
    uuid?: string;
    usage?: 'filesystem' | 'raid' | 'crypto' | 'other';
    facts?: Record<string, string>;
  } = {},
): Probed {
  return {
    type,
    label: values.label ?? '',
    uuid: values.uuid ?? '',
    facts: { ...values.facts, USAGE: values.usage ?? 'filesystem' },
  };
}

/** A driver that knows a format by sight only. */
export function signature(type: string, probe: (disk: Disk) => Probed | undefined): FileSystemDriver {
  return { name: type, types: [type], probe };
}
