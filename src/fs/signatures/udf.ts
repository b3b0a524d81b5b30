/**
 * Recognises UDF: ECMA-167 (parts 2 and 3) and OSTA UDF 2.60. Many discs are UDF and ISO 9660 at once; they count as
 * UDF, as in blkid and Linux. Little-endian.
 */
import { encodeHex, encodeText, trimBlanks } from '../../base/index.js';
import type { Disk, ProbeContext } from '../../disk/index.js';
import { ascii, type Found, label, part, signature, viewMaybe } from './signature.js';

const structureSize = 2048;
const firstStructure = 0x8000;
const maxStructures = 64;
/** Sector sizes, in the order in which they are tried. */
const sectorSizes = [512, 1024, 2048, 4096];
/** Possible places of the anchor; the last is for a write-once disc that is not yet closed. */
const anchorSectors = [256, 512];
const descriptorSize = 512;
const tagPrimary = 1;
const tagAnchor = 2;
const tagImplementationUse = 4;
const tagLogicalVolume = 6;
const tagTerminating = 8;
const tagIntegrity = 9;
const maxDescriptors = 64;

/** ECMA-167, 2/8: volume structures of seven bytes, among which NSR02 or NSR03 stands for UDF. */
function hasVolumeStructure(disk: Disk, start: number, step: number): boolean {
  for (let i = 0; i < maxStructures; i++) {
    const view = viewMaybe(disk, start + firstStructure + i * step, 7);
    if (view === undefined) return false;
    const id = ascii(view, 1, 5);
    if (id === 'NSR02' || id === 'NSR03') return true;
    if (!['BEA01', 'BOOT2', 'CD001', 'CDW02', 'TEA01'].includes(id)) return false;
  }
  return false;
}

/**
 * UDF 2.60, 2.1.3: a dstring's first byte is 8 or 16 bits a character, its last byte the number of used bytes. A NUL
 * ends the text.
 */
function dstring(view: DataView, at: number, length: number): string {
  const used = Math.min(Math.max(0, view.getUint8(at + length - 1) - 1), length - 2);
  const kind = view.getUint8(at);
  let text = '';
  if (kind === 8) {
    for (const byte of part(view, at + 1, used)) text += String.fromCharCode(byte);
  } else if (kind === 16) {
    for (let i = 0; i + 1 < used; i += 2) text += String.fromCharCode(view.getUint16(at + 1 + i));
  }
  return text.replace(/\0.*$/s, '').replace(/[\ud800-\udfff]/gu, '\ufffd');
}

/** Fields in another character set than OSTA's are left out. */
const characterSet = 'OSTA Compressed Unicode';

function isOsta(view: DataView, at: number): boolean {
  return view.getUint8(at) === 0 && label(view, at + 1, 63) === characterSet;
}

/** The volume set's name as an identifier: UDF 2.60, 2.2.2.5, begins it with sixteen hexadecimal digits. */
function setUuid(name: string): string {
  const raw = encodeText(name).subarray(0, 16);
  if (raw.length < 8) return '';
  const text = String.fromCharCode(...raw);
  const digits = /^[0-9a-fA-F]*/.exec(text)?.[0].length ?? 0;
  const hex = (from: number, to: number) => encodeHex(raw.subarray(from, to));
  if (digits === 16) return text.toLowerCase();
  if (digits >= 8) return (text.slice(0, 8) + hex(8, 12).padEnd(8, '0')).toLowerCase();
  return hex(0, 8);
}

/** A descriptor's tag has its kind and its own place. */
function isTag(view: DataView, kind: number, sector: number): boolean {
  return view.getUint16(0, true) === kind && view.getUint32(12, true) === sector;
}

function probeUdf(disk: Disk, { sessionOffset: start }: ProbeContext): Found | undefined {
  const plain = hasVolumeStructure(disk, start, structureSize);
  for (const sectorSize of sectorSizes) {
    if (start % sectorSize !== 0) continue;
    const isUdf = sectorSize > structureSize ? hasVolumeStructure(disk, start, sectorSize) : plain;
    if (!isUdf) continue;
    for (const sector of anchorSectors) {
      const anchor = viewMaybe(disk, start + sector * sectorSize, descriptorSize);
      if (anchor === undefined) return undefined;
      if (!isTag(anchor, tagAnchor, start / sectorSize + sector)) continue;
      return readSequence(disk, sectorSize, anchor.getUint32(20, true), anchor.getUint32(16, true));
    }
  }
  return undefined;
}

/**
 * The main volume descriptor sequence: `length` bytes from sector `first` on. The first useful descriptor of each
 * kind counts.
 */
function readSequence(disk: Disk, sectorSize: number, first: number, length: number): Found {
  const facts = new Map<string, string>([['BLOCK_SIZE', String(sectorSize)]]);
  const tell = (name: string, value: string): void => {
    if (!facts.get(name)) facts.set(name, value);
  };
  let revision = 0;
  let integrity = { sector: 0, length: 0 };
  const count = Math.min(maxDescriptors, Math.floor(length / sectorSize));
  for (let i = 0; i < count; i++) {
    const view = viewMaybe(disk, (first + i) * sectorSize, descriptorSize);
    const kind = view?.getUint16(0, true);
    if (view === undefined || kind === 0 || kind === tagTerminating) break;
    if (view.getUint32(12, true) !== first + i) break;
    if (kind === tagPrimary) {
      if (isOsta(view, 200)) {
        const set = dstring(view, 72, 128);
        tell('VOLUME_ID', trimBlanks(dstring(view, 24, 32)));
        tell('VOLUME_SET_ID', trimBlanks(set));
        tell('uuid', setUuid(set));
      }
      // The application's identifier, or that of the program that wrote the volume; `*` marks registered ones.
      const [application, implementation] = [345, 389].map((at) => label(view, at, 23).replace(/^\*/, ''));
      tell('APPLICATION_ID', application || implementation || '');
    } else if (kind === tagLogicalVolume) {
      if (integrity.length === 0 && view.getUint32(268, true) > 0)
        integrity = { length: view.getUint32(432, true), sector: view.getUint32(436, true) };
      if (revision === 0 && label(view, 217, 23) === '*OSTA UDF Compliant')
        revision = view.getUint16(240, true);
      if (isOsta(view, 20)) tell('LOGICAL_VOLUME_ID', trimBlanks(dstring(view, 84, 128)));
    } else if (kind === tagImplementationUse) {
      if (label(view, 21, 23) === '*UDF LV Info' && isOsta(view, 52))
        tell('PUBLISHER_ID', trimBlanks(dstring(view, 244, 36)));
    }
  }
  revision = Math.max(revision, revisionOf(disk, integrity.sector, sectorSize, integrity.length));
  // Two digits before the point and two behind it.
  if (revision > 0)
    facts.set(
      'VERSION',
      `${(revision >> 8).toString(16)}.${(revision & 0xff).toString(16).padStart(2, '0')}`,
    );
  const { uuid = '', ...rest } = Object.fromEntries(facts);
  return { label: rest.LOGICAL_VOLUME_ID ?? '', uuid, facts: rest };
}

/** The greatest revision in the volume's integrity descriptor that readers or writers need; 0 without one. */
function revisionOf(disk: Disk, sector: number, sectorSize: number, length: number): number {
  if (sector === 0 || length < descriptorSize) return 0;
  const view = viewMaybe(disk, sector * sectorSize, descriptorSize);
  if (view === undefined || !isTag(view, tagIntegrity, sector) || view.getUint32(76, true) < 46) return 0;
  const use = viewMaybe(disk, sector * sectorSize + 80 + 8 * view.getUint32(72, true), 46);
  return use === undefined ? 0 : Math.max(use.getUint16(40, true), use.getUint16(42, true));
}

export const udf = signature('udf', probeUdf, { tolerant: true });
