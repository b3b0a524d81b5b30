/**
 * UDF, known by sight: ECMA-167 (parts 2 and 3) and OSTA UDF 2.60. Many discs are UDF and ISO 9660 at once; they are UDF,
 * as for blkid and for Linux. Little-endian.
 */
import type { Disk } from '../../disk/index.js';
import type { Probed } from '../driver.js';
import { ascii, found, label, part, signature, viewMaybe } from './signature.js';

const structureSize = 2048;
const firstStructure = 0x8000;
const maxStructures = 64;
/** Sizes of sectors; the anchor lies in sector 256. */
const sectorSizes = [2048, 512, 1024, 4096];
const anchorSector = 256;
const tagPrimary = 1;
const tagAnchor = 2;
const tagLogicalVolume = 6;
const tagTerminating = 8;
const maxDescriptors = 64;

/** ECMA-167, 2/8: volume structures of seven bytes, among which NSR02 or NSR03 stands for UDF. */
function hasVolumeStructure(disk: Disk, step: number): boolean {
  for (let i = 0; i < maxStructures; i++) {
    const view = viewMaybe(disk, firstStructure + i * step, 7);
    if (view === undefined) return false;
    const id = ascii(view, 1, 5);
    if (id === 'NSR02' || id === 'NSR03') return true;
    if (!['BEA01', 'CD001', 'CDW02', 'BOOT2'].includes(id)) return false;
  }
  return false;
}

/** UDF 2.60, 2.1.3: a dstring's first byte tells 8 or 16 bits a character, its last byte how many bytes are used. */
function dstring(view: DataView, at: number, length: number): string {
  const used = Math.min(view.getUint8(at + length - 1), length - 1);
  const kind = view.getUint8(at);
  let text = '';
  if (kind === 8 || kind === 254) {
    for (const byte of part(view, at + 1, Math.max(0, used - 1))) text += String.fromCharCode(byte);
  } else if (kind === 16 || kind === 255) {
    for (let i = 1; i + 1 < used; i += 2) text += String.fromCharCode(view.getUint16(at + i));
  }
  return text
    .replace(/\0.*$/s, '')
    .replace(/[\ud800-\udfff]/gu, '\ufffd')
    .replace(/[ \t\n\v\f\r]+$/, '');
}

/** The volume set's name as an identifier: UDF 2.60, 2.2.2.5, begins it with sixteen hexadecimal digits. */
function setUuid(name: string): string {
  const raw = Buffer.from(name, 'utf8');
  if (raw.length < 8) return '';
  const text = raw.toString('latin1');
  if (/^[0-9a-fA-F]{16}/.test(text)) return text.slice(0, 16).toLowerCase();
  if (/^[0-9a-fA-F]{8}/.test(text)) {
    return (text.slice(0, 8) + raw.subarray(8, 12).toString('hex').padEnd(8, '0')).toLowerCase();
  }
  return raw.subarray(0, 8).toString('hex');
}

function probeUdf(disk: Disk): Probed | undefined {
  for (const sectorSize of sectorSizes) {
    if (!hasVolumeStructure(disk, Math.max(structureSize, sectorSize))) continue;
    const anchor = viewMaybe(disk, anchorSector * sectorSize, 512);
    if (anchor === undefined || !isTag(anchor, tagAnchor, anchorSector)) continue;
    return readSequence(disk, sectorSize, anchor.getUint32(20, true), anchor.getUint32(16, true));
  }
  return undefined;
}

/** A descriptor's tag: its kind, its own place, and a sum over its other bytes. */
function isTag(view: DataView, kind: number | undefined, sector: number): boolean {
  if (kind !== undefined && view.getUint16(0, true) !== kind) return false;
  let sum = 0;
  for (let at = 0; at < 16; at++) if (at !== 4) sum += view.getUint8(at);
  return (sum & 0xff) === view.getUint8(4) && view.getUint32(12, true) === sector;
}

/** The main volume descriptor sequence: `length` bytes from sector `first` on. */
function readSequence(disk: Disk, sectorSize: number, first: number, length: number): Probed {
  let name = '';
  let uuid = '';
  const facts: Record<string, string> = { BLOCK_SIZE: String(sectorSize) };
  const count = Math.min(maxDescriptors, Math.floor(length / sectorSize));
  for (let i = 0; i < count; i++) {
    const view = viewMaybe(disk, (first + i) * sectorSize, 512);
    if (view === undefined || !isTag(view, undefined, first + i)) break;
    const kind = view.getUint16(0, true);
    if (kind === tagTerminating) break;
    if (kind === tagPrimary) {
      const set = dstring(view, 72, 128);
      uuid = setUuid(set);
      facts.VOLUME_ID = dstring(view, 24, 32);
      facts.VOLUME_SET_ID = set;
      // The application's identifier, or that of the program that wrote the volume; `*` marks those that are registered.
      facts.APPLICATION_ID = (label(view, 345, 23) || label(view, 389, 23)).replace(/^\*/, '');
    } else if (kind === tagLogicalVolume) {
      name = dstring(view, 84, 128);
      facts.LOGICAL_VOLUME_ID = name;
      // The domain's identifier ends in the revision, two digits before the point and two behind it.
      const revision = view.getUint16(216 + 24, true);
      facts.VERSION = `${(revision >> 8).toString(16)}.${(revision & 0xff).toString(16).padStart(2, '0')}`;
    }
  }
  for (const fact of Object.keys(facts)) if (facts[fact] === '') delete facts[fact];
  return found('udf', { label: name, uuid, facts });
}

export const udf = signature('udf', probeUdf);
