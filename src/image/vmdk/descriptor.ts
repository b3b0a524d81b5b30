/**
 * The text that describes a VMDK: which files it consists of, what it stands on, and the database of the disk's
 * properties. It is a file of its own, or lies within a sparse extent. Specification: Virtual Disk Format 5.0, "The
 * Descriptor File". As in qemu, lines that mean nothing are skipped.
 */
import { CorruptError, decodePadded, readUpTo, UnsupportedError, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { limits, sectorSize } from './layout.js';

/** One piece of the disk. */
export interface ExtentLine {
  readonly kind: 'flat' | 'sparse' | 'sesparse' | 'zero';
  readonly sizeInBytes: number;
  /** Empty for zeroes. */
  readonly fileName: string;
  /** Where a flat extent begins in its file. */
  readonly offsetInBytes: number;
}

export interface Descriptor {
  /** `monolithicSparse`, `vmfs`, …; undefined where the text does not say. */
  readonly createType: string | undefined;
  /** The content id, which changes whenever the disk is written after it was opened; eight hexadecimal digits. */
  readonly cid: string | undefined;
  readonly parentCid: string | undefined;
  readonly parentFileName: string | undefined;
  readonly extents: readonly ExtentLine[];
  readonly adapterType: string | undefined;
  readonly hardwareVersion: string | undefined;
}

const structure = 'VMDK descriptor';
/** The parent's content id in an image without a parent. */
const noParent = 'ffffffff';

/** The types of extents, as the lines name them. */
const kinds: ReadonlyMap<string, ExtentLine['kind']> = new Map([
  ['FLAT', 'flat'],
  ['VMFS', 'flat'],
  ['SPARSE', 'sparse'],
  ['VMFSSPARSE', 'sparse'],
  ['SESPARSE', 'sesparse'],
  ['ZERO', 'zero'],
]);

/** `RW 4192256 SPARSE "disk-s001.vmdk"`, with an offset behind the name where the type is FLAT. */
const extentShape =
  /^(RW|RDONLY|NOACCESS)[ \t]+([0-9]{1,16})[ \t]+([A-Z]+)(?:[ \t]+"([^"]*)")?(?:[ \t]+([0-9]{1,16}))?/;
const factShape = /^([A-Za-z][\w.]*)[ \t]*=[ \t]*(?:"([^"]*)"|(\S*))/;

/** The text of a descriptor in a file. NULs fill it up where it lies within an extent. */
export function readDescriptor(file: Disk, offset: number, length: number): Descriptor {
  if (offset >= file.size && length > 0)
    throw new CorruptError(structure, 'lies outside the file', { offset, fileSize: file.size });
  return decodeDescriptor(decodePadded(readUpTo(file, offset, Math.min(length, limits.descriptorBytes))));
}

function decodeDescriptor(text: string): Descriptor {
  const facts = new Map<string, string>();
  const extents: ExtentLine[] = [];
  for (const raw of text.split('\n')) {
    work.entries.spend(1);
    const line = raw.trim();
    const extent = extentShape.exec(line);
    if (extent !== null) {
      if (extents.length === limits.extents)
        throw new UnsupportedError(structure, [`more than ${limits.extents} extents`]);
      extents.push(extentOf(extent));
      continue;
    }
    const [, name, quoted, plain] = factShape.exec(line) ?? [];
    if (name !== undefined && !facts.has(name.toLowerCase()))
      facts.set(name.toLowerCase(), quoted ?? plain ?? '');
  }
  const parentCid = contentId(facts.get('parentcid') ?? noParent);
  const parentFileName = facts.get('parentfilenamehint');
  const cid = facts.get('cid');
  if (parentCid !== noParent && !parentFileName)
    throw new CorruptError(structure, 'does not name the parent that it stands on', { parentCID: parentCid });
  return {
    createType: facts.get('createtype'),
    cid: cid === undefined ? undefined : contentId(cid),
    ...(parentCid === noParent
      ? { parentCid: undefined, parentFileName: undefined }
      : { parentCid, parentFileName }),
    extents,
    adapterType: facts.get('ddb.adaptertype'),
    hardwareVersion: facts.get('ddb.virtualhwversion'),
  };
}

/** Eight digits, as programs write between one and eight. */
function contentId(text: string): string {
  if (!/^[0-9a-fA-F]{1,8}$/.test(text))
    throw new CorruptError(structure, 'has a content id that is no hexadecimal number', {
      id: text.slice(0, 32),
    });
  return text.toLowerCase().padStart(8, '0');
}

function extentOf([line, access, sectors = '', type = '', fileName, offset]: RegExpExecArray): ExtentLine {
  const kind = kinds.get(type);
  if (kind === undefined) throw new UnsupportedError('VMDK image', [`extents of the type ${type}`]);
  if (access === 'NOACCESS' && kind !== 'zero')
    throw new UnsupportedError('VMDK image', ['extents that may not be read (NOACCESS)']);
  if (kind !== 'zero' && fileName === undefined)
    throw new CorruptError(structure, 'has an extent without a file', { line: line.slice(0, 80) });
  if (kind === 'flat' && type === 'FLAT' && offset === undefined)
    throw new CorruptError(structure, 'has a flat extent without an offset', { line: line.slice(0, 80) });
  return {
    kind,
    sizeInBytes: inBytes(sectors),
    fileName: kind === 'zero' ? '' : (fileName ?? ''),
    offsetInBytes: kind === 'flat' ? inBytes(offset ?? '0') : 0,
  };
}

function inBytes(sectors: string): number {
  const bytes = Number(sectors) * sectorSize;
  if (!Number.isSafeInteger(bytes)) throw new CorruptError(structure, 'has an impossible size', { sectors });
  return bytes;
}

/** The size of the disk that the extents make together. */
export function sizeOfExtents({ extents }: Descriptor): number {
  let size = 0;
  for (const { sizeInBytes } of extents) size += sizeInBytes;
  if (!Number.isSafeInteger(size)) throw new CorruptError(structure, 'has an impossible size', { size });
  return size;
}
