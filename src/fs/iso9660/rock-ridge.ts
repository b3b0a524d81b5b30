/**
 * Rock Ridge: POSIX names, attributes, symbolic links, devices and deep directories, in system use entries.
 * RRIP 1.12 (and 1.09, whose PX is shorter), section 4.1; ZF is zisofs's own.
 */
import { concatBytes, encodeText } from '../../base/index.js';
import type { Time } from '../driver.js';
import { decodeLongDate, decodeShortDate } from './dates.js';
import {
  componentContinues,
  componentCurrent,
  componentParent,
  componentRoot,
  compressed,
  directoryLink,
  nameCurrent,
  nameParent,
  posixAttributes,
  posixDevice,
  timeAccess,
  timeAttributes,
  timeCreation,
  timeLongForm,
  timeModify,
} from './layout.js';
import type { SuspDamage, UseEntry } from './susp.js';

/** How a file is compressed. Sizes in bytes. */
export interface Compression {
  /** `pz`, or another that is not known. */
  readonly algorithm: string;
  readonly headerSize: number;
  readonly blockSize: number;
  readonly size: number;
}

/** What the entries of one record say. */
export interface RockRidge {
  name: Uint8Array | undefined;
  mode: number | undefined;
  links: number;
  uid: number;
  gid: number;
  deviceMajor: number;
  deviceMinor: number;
  accessed: Time | undefined;
  modified: Time | undefined;
  changed: Time | undefined;
  symlink: Uint8Array | undefined;
  /** The block of the directory that this record replaces (CL). */
  childBlock: number | undefined;
  /** The block of the real parent of a relocated directory (PL, in its `..`). */
  parentBlock: number | undefined;
  /** This directory was moved here and is hidden here (RE). */
  relocated: boolean;
  compression: Compression | undefined;
  /** The data is a sparse file's tables (SF). */
  sparse: boolean;
  /** Why the entries ended early. */
  damage: SuspDamage;
}

/** The longest name; longer ones are cut. */
const maxName = 255;

/** Builds a link's target from the components of its SL entries. */
class SymlinkTarget {
  readonly pieces: Uint8Array[] = [];
  #separate = false;

  /** Adds the components of one SL entry: a flag byte, then (flags, length, text) for each. */
  add(raw: Uint8Array): void {
    for (let at = 5; at + 2 <= raw.length; ) {
      const flags = raw[at] ?? 0;
      const text = raw.subarray(at + 2, at + 2 + (raw[at + 1] ?? 0));
      const isWhole = text.length === raw[at + 1];
      at += 2 + text.length;
      if (this.#separate) this.pieces.push(encodeText('/'));
      if (!isWhole) return; // it is left out: Linux counts no more of it than the slash before it
      const kind = flags & ~componentContinues;
      if (kind === 0) this.pieces.push(text);
      else if (kind === componentCurrent) this.pieces.push(encodeText('.'));
      else if (kind === componentParent) this.pieces.push(encodeText('..'));
      else if (kind === componentRoot) this.pieces.push(encodeText('/'));
      this.#separate = kind !== componentRoot && (flags & componentContinues) === 0;
    }
  }
}

function addTimes(result: RockRidge, raw: Uint8Array): void {
  const flags = raw[4] ?? 0;
  const long = (flags & timeLongForm) !== 0;
  const size = long ? 17 : 7;
  let at = 5;
  const next = (): Time | undefined => {
    const start = at;
    at += size;
    if (at > raw.length) return undefined;
    return long ? decodeLongDate(raw, start) : decodeShortDate(raw, start);
  };
  // Some writers store the change time as the creation time. As in Linux, it is used until a better one is found.
  if (flags & timeCreation) result.changed = next() ?? result.changed;
  if (flags & timeModify) result.modified = next() ?? result.modified;
  if (flags & timeAccess) result.accessed = next() ?? result.accessed;
  if (flags & timeAttributes) result.changed = next() ?? result.changed;
}

/**
 * As in Linux: some writers store a whole device number in the low half, with 8 bits of minor number. Otherwise 12
 * bits of major and 20 bits of minor number are combined, and excess bits overflow into each other.
 */
function splitDevice(high: number, low: number): { major: number; minor: number } {
  const inOne = high === 0 && low > 0xff;
  const device = (((inOne ? low >>> 8 : high) << 20) | (inOne ? low & 0xff : low)) >>> 0;
  return { major: device >>> 20, minor: device & 0xfffff };
}

/** Decodes the entries of one record; too short ones are skipped. */
export function decodeRockRidge(entries: Iterable<UseEntry>): RockRidge {
  const result: RockRidge = {
    name: undefined,
    mode: undefined,
    links: 1,
    uid: 0,
    gid: 0,
    deviceMajor: 0,
    deviceMinor: 0,
    accessed: undefined,
    modified: undefined,
    changed: undefined,
    symlink: undefined,
    childBlock: undefined,
    parentBlock: undefined,
    relocated: false,
    compression: undefined,
    sparse: false,
    damage: 'none',
  };
  const names: Uint8Array[] = [];
  let target: SymlinkTarget | undefined;
  for (const { signature, raw } of entries) {
    switch (signature) {
      case 'PX': {
        if (raw.length < posixAttributes.size) break;
        const { mode, links, uid, gid } = posixAttributes.decode(raw);
        Object.assign(result, { mode: mode & 0xffff, links, uid, gid });
        break;
      }
      case 'PN': {
        if (raw.length < posixDevice.size) break;
        const { dev_high, dev_low } = posixDevice.decode(raw);
        const { major, minor } = splitDevice(dev_high, dev_low);
        Object.assign(result, { deviceMajor: major, deviceMinor: minor });
        break;
      }
      case 'NM': {
        const flags = raw[4] ?? nameCurrent;
        if ((flags & (nameCurrent | nameParent)) !== 0) break;
        const text = raw.subarray(5);
        const end = text.indexOf(0);
        names.push(end < 0 ? text : text.subarray(0, end));
        break;
      }
      case 'SL':
        target ??= new SymlinkTarget();
        target.add(raw);
        break;
      case 'TF':
        addTimes(result, raw);
        break;
      case 'CL':
        if (raw.length >= directoryLink.size) result.childBlock = directoryLink.decode(raw).location;
        break;
      case 'PL':
        if (raw.length >= directoryLink.size) result.parentBlock = directoryLink.decode(raw).location;
        break;
      case 'RE':
        result.relocated = true;
        break;
      case 'ZF': {
        if (raw.length < compressed.size) break;
        const fields = compressed.decode(raw);
        result.compression = {
          algorithm: String.fromCharCode(...fields.algorithm),
          headerSize: fields.header_size_div4 * 4,
          blockSize: 2 ** fields.log2_block_size,
          size: fields.uncompressed_size,
        };
        break;
      }
      case 'SF':
        result.sparse = true;
        break;
    }
  }
  if (names.length > 0) {
    const name = concatBytes(names);
    if (name.length > 0) result.name = name.subarray(0, maxName);
  }
  if (target !== undefined) result.symlink = concatBytes(target.pieces);
  return result;
}
