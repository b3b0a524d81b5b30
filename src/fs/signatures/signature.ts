/** Helpers of the probes here: bounded reads of a disk, and texts and UUIDs in fixed fields. */
import { decodePadded, formatUuid, readMaybe, trimBlanks } from '../../base/index.js';
import { type Disk, type Kind, type ProbeContext, plainDisk, type UsageClass } from '../../disk/index.js';
import type { FileSystemDriver } from '../driver.js';

/** The bytes at `offset` of a disk as a view; undefined unless all of them lie on it. */
export function viewMaybe(disk: Disk, offset: number, length: number): DataView | undefined {
  const raw = readMaybe(disk, offset, length);
  return raw && new DataView(raw.buffer);
}

/** The bytes of a part of a view; the caller has checked the bounds. */
export function part(view: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, length);
}

/** ASCII in a view. */
export function ascii(view: DataView, at: number, length: number): string {
  return String.fromCharCode(...part(view, at, length));
}

/** A name in a fixed field: up to a NUL, without trailing blanks. */
export function label(view: DataView, at: number, length: number): string {
  return trimBlanks(decodePadded(part(view, at, length)));
}

/** A name in UTF-16 of at most `units` units: up to a NUL, without trailing blanks. */
export function label16(view: DataView, at: number, units: number, little: boolean): string {
  let text = '';
  for (let i = 0; i < units; i++) {
    const unit = view.getUint16(at + i * 2, little);
    if (unit === 0) break;
    text += String.fromCharCode(unit);
  }
  return trimBlanks(text.replace(/[\ud800-\udfff]/gu, '\ufffd'));
}

/** A size from its logarithm; empty for an impossible size. */
export function powerOfTwo(log: number): string {
  return log < 32 ? String(2 ** log) : '';
}

/** A UUID of 16 bytes; empty if they are all zero. */
export function uuid(view: DataView, at: number): string {
  const raw = part(view, at, 16);
  return raw.every((byte) => byte === 0) ? '' : formatUuid(raw);
}

/** The facts that a probe finds; empty ones are left out. */
export interface Found {
  readonly label?: string;
  readonly uuid?: string;
  readonly facts?: Readonly<Record<string, string>>;
}

/** The facts about a kind beside its probe: see {@link Kind}. */
type KindOptions<U extends UsageClass> = Partial<
  Pick<Kind, 'minimumSize' | 'tolerant' | 'wholeDisksOnly' | 'beyondLinux'> & { readonly usage: U }
>;

type Look = (disk: Disk, context: ProbeContext) => Found | undefined;

function probeOf(type: string, usage: UsageClass, look: Look): Kind['probe'] {
  return (disk, context = plainDisk) => {
    const found = look(disk, context);
    if (found === undefined) return undefined;
    const { label = '', uuid = '', facts = {} } = found;
    const told = Object.entries(facts).filter(([, value]) => value !== '');
    return { type, label, uuid, facts: { ...Object.fromEntries(told), USAGE: usage } };
  };
}

/** A filesystem, or another format without a disk inside, that is only recognised. */
export function signature(
  type: string,
  look: Look,
  options: KindOptions<'filesystem' | 'other'> = {},
): FileSystemDriver {
  const { usage = 'filesystem' } = options;
  return {
    name: type,
    role: 'filesystem',
    types: [type],
    ...options,
    usage,
    probe: probeOf(type, usage, look),
  };
}

/** A format with disks inside, or a locked one, that is only recognised; its driver would be in the volume room. */
export type Container = Kind & { readonly role: 'member' | 'locked' };

export function container(
  type: string,
  look: Look,
  options: KindOptions<'raid' | 'crypto'> & { readonly usage: 'raid' | 'crypto' },
): Container {
  const role = options.usage === 'raid' ? 'member' : 'locked';
  return { name: type, role, ...options, probe: probeOf(type, options.usage, look) };
}
