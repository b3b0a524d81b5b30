/**
 * Which files of an appliance are its disks, by its OVF descriptor. Specification: DMTF DSP0243 2.1, 7 and 9.1. Few
 * elements are of interest, so they are looked for as they are, with or without a prefix of their namespace.
 */
import { CorruptError, work } from '../../base/index.js';

/** A disk of an appliance, in the order of the descriptor. */
export interface OvfDisk {
  readonly fileName: string;
  /** The file is cut into pieces of so many bytes, named `NAME.000000000` and so on; undefined for a whole one. */
  readonly chunkBytes: number | undefined;
}

export interface Ovf {
  readonly name: string | undefined;
  readonly disks: readonly OvfDisk[];
}

/** Elements of a descriptor that are looked at: an honest one has some hundreds. */
const mostElements = 100_000;

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function plainText(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|([a-z]{2,4}));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return entities[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** The attributes of each element of a name, without the prefixes of their names. */
function elements(xml: string, name: string): Map<string, string>[] {
  const found: Map<string, string>[] = [];
  for (const [, inside = ''] of xml.matchAll(
    new RegExp(`<(?:[\\w-]{1,32}:)?${name}(\\s[^<>]{0,8192})/?>`, 'g'),
  )) {
    work.entries.spend(1);
    if (found.length === mostElements)
      throw new CorruptError('OVF descriptor', 'has too many elements', { limit: mostElements });
    const attributes = new Map<string, string>();
    for (const [, key = '', double, single] of inside.matchAll(/([\w.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g))
      attributes.set(key, plainText(double ?? single ?? ''));
    found.push(attributes);
  }
  return found;
}

/** Reads a descriptor. An appliance may have disks without a file, which are empty: they are left out. */
export function readOvf(xml: string): Ovf {
  const text = xml.replace(/<!--[\s\S]*?-->/g, '');
  const files = new Map(elements(text, 'File').map((file) => [file.get('id') ?? '', file]));
  const disks = elements(text, 'Disk').flatMap((disk): OvfDisk[] => {
    const reference = disk.get('fileRef');
    if (reference === undefined) return [];
    const file = files.get(reference);
    const fileName = file?.get('href');
    if (file === undefined || fileName === undefined)
      throw new CorruptError(
        'OVF descriptor',
        `has a disk in the file ‘${reference}’, which it does not name`,
      );
    const chunk = file.get('chunkSize');
    if (chunk !== undefined && !/^[1-9]\d{0,15}$/.test(chunk))
      throw new CorruptError('OVF descriptor', 'has an impossible chunkSize', {
        chunkSize: chunk.slice(0, 32),
      });
    return [{ fileName, chunkBytes: chunk === undefined ? undefined : Number(chunk) }];
  });
  const system =
    /<(?:[\w-]{1,32}:)?VirtualSystem\b[\s\S]{0,4096}?<(?:[\w-]{1,32}:)?Name>([^<]{1,1024})</.exec(text)?.[1];
  const id = elements(text, 'VirtualSystem')[0]?.get('id');
  return { name: system === undefined ? id : plainText(system), disks };
}
