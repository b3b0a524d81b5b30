/** The disk in a tar archive: of an appliance (OVA) by its OVF descriptor, of a cloud's image the one that is there. */
import { CorruptError, decodeText, GuestfsError, readUpTo, work } from '../../base/index.js';
import { type Disk, MappedDisk, type Mapping } from '../../disk/index.js';
import { type TarFile, tarFiles } from '../../formats/index.js';
import { type Ovf, type OvfDisk, readOvf } from './ovf.js';

/** What was found in an archive. */
export interface ArchivedDisk {
  /** Read-only; it owns the archive. */
  readonly disk: Disk;
  readonly container: 'ova' | 'tar';
  readonly member: string;
  readonly appliance: string | undefined;
  /** Other disks of the archive. */
  readonly others: readonly string[];
  /** Where the disk lies in the archive, if in one piece. */
  readonly slice: { readonly offset: number; readonly size: number } | undefined;
}

const mostFiles = 100_000;
const ovfLimit = 4 * 1024 * 1024;

/** Names of disks in archives without a descriptor, with what they may be packed by. */
const diskName = /(?:^|\/)(?:disk\.raw|[^/]+\.(?:vmdk|qcow2|raw|img|vhd|vhdx|vdi))(?:\.(?:gz|xz|zst))?$/i;

/** A name as another file of the archive would write it. */
const plainName = (name: string): string => name.replace(/^(?:\.\/)+/, '');

/** The files of an archive that are its disks, in their order. */
interface Contents {
  readonly files: ReadonlyMap<string, TarFile>;
  readonly disks: readonly OvfDisk[];
  /** Undefined for an archive without a descriptor. */
  readonly ovf: Ovf | undefined;
}

function readContents(archive: Disk): Contents {
  const files = new Map<string, TarFile>();
  for (const file of tarFiles(archive)) {
    if (files.size === mostFiles)
      throw new CorruptError('tar archive', 'has too many files', { limit: mostFiles });
    files.set(plainName(file.name), file);
  }
  const descriptor = [...files.values()].find(({ name }) => /\.ovf$/i.test(name));
  if (descriptor !== undefined) {
    const ovf = readText(archive, descriptor);
    if (ovf.disks.length === 0) throw new CorruptError('OVF descriptor', 'names no disk that has a file');
    return { files, disks: ovf.disks, ovf };
  }
  const named = [...files.values()].filter(({ name }) => diskName.test(name));
  const disks = named.map(({ name }): OvfDisk => ({ fileName: name, chunkBytes: undefined }));
  return { files, disks, ovf: undefined };
}

/** The disks of an archive by their names, in the order of its descriptor, or of its files; none without any. */
export function listArchive(archive: Disk): string[] {
  return [...new Set(readContents(archive).disks.map(({ fileName }) => fileName))];
}

/**
 * Finds the disk of an archive that is named `member`, or its first; undefined for an archive without one. ENOENT if
 * none of its files has that name.
 */
export function openArchive(archive: Disk, member: string | undefined): ArchivedDisk | undefined {
  const { files, disks, ovf } = readContents(archive);
  const chosen = member === undefined ? disks[0] : findMember(member, files, disks);
  if (chosen === undefined) return undefined;
  const others = disks.map(({ fileName }) => fileName).filter((name) => name !== chosen.fileName);
  return {
    ...joined(archive, partsOf(chosen, files)),
    container: ovf === undefined ? 'tar' : 'ova',
    member: chosen.fileName,
    appliance: ovf?.name,
    // Whoever named one knows of the others.
    others: member === undefined ? [...new Set(others)] : [],
  };
}

/** A disk of the descriptor, which may be cut into chunks, or any other file of the archive. */
function findMember(member: string, files: ReadonlyMap<string, TarFile>, disks: readonly OvfDisk[]): OvfDisk {
  const name = plainName(member);
  const disk = disks.find(({ fileName }) => plainName(fileName) === name);
  if (disk !== undefined) return disk;
  if (files.has(name)) return { fileName: name, chunkBytes: undefined };
  const known = disks.slice(0, 20).map(({ fileName }) => `‘${fileName}’`);
  throw new GuestfsError(
    'ENOENT',
    `the archive has no file ‘${member}’; its disks are ${known.join(', ') || 'none'}`,
  );
}

function readText(archive: Disk, file: TarFile): Ovf {
  if (file.sizeInBytes > ovfLimit)
    throw new CorruptError('OVF descriptor', 'is too long', { size: file.sizeInBytes, limit: ovfLimit });
  const { disk } = joined(archive, [file]);
  return readOvf(decodeText(readUpTo(disk, 0, file.sizeInBytes)));
}

/** The files that hold a disk, in its order: itself, or the chunks that it was cut into. */
function partsOf({ fileName, chunkBytes }: OvfDisk, files: ReadonlyMap<string, TarFile>): TarFile[] {
  const name = plainName(fileName);
  const get = (wanted: string): TarFile => {
    const file = files.get(wanted);
    if (file === undefined)
      throw new GuestfsError(
        'ENOENT',
        `‘${wanted}’, which the OVF descriptor names: no such file in the archive`,
      );
    return file;
  };
  if (chunkBytes === undefined) return [get(name)];
  const parts: TarFile[] = [];
  for (;;) {
    work.entries.spend(1);
    const part = files.get(`${name}.${String(parts.length).padStart(9, '0')}`);
    if (part === undefined) break;
    parts.push(part);
  }
  const last = parts.at(-1);
  if (last === undefined) return [get(`${name}.000000000`)];
  for (const part of parts)
    if (part !== last && part.sizeInBytes !== chunkBytes)
      throw new CorruptError(
        'OVF package',
        `has a chunk of another size than its descriptor says: ‘${part.name}’`,
        {
          size: part.sizeInBytes,
          chunkSize: chunkBytes,
        },
      );
  return parts;
}

/** Files of the archive one behind the other, as a disk that owns the archive. */
function joined(archive: Disk, files: readonly TarFile[]): Pick<ArchivedDisk, 'disk' | 'slice'> {
  const pieces: { at: number; length: number; offset: number }[] = [];
  let size = 0;
  for (const file of files) {
    for (const { at, length, offset } of file.pieces) {
      work.entries.spend(1);
      if (offset + length > archive.size)
        throw new CorruptError('tar archive', `breaks off within ‘${file.name}’`, { size: archive.size });
      pieces.push({ at: size + at, length, offset });
    }
    size += file.sizeInBytes;
  }
  const [only] = pieces;
  const isWhole = pieces.length === 1 && only?.at === 0 && only.length === size;
  return {
    disk: new MappedDisk(size, lookupIn(archive, pieces, size), { name: 'tar archive', owns: [archive] }),
    slice: isWhole && only !== undefined ? { offset: only.offset, size } : undefined,
  };
}

function lookupIn(
  archive: Disk,
  pieces: readonly { at: number; length: number; offset: number }[],
  size: number,
): (offset: number) => Mapping {
  return (offset) => {
    // The first piece that ends behind the offset.
    let low = 0;
    let high = pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const piece = pieces[middle];
      if (piece !== undefined && piece.at + piece.length <= offset) low = middle + 1;
      else high = middle;
    }
    const piece = pieces[low];
    if (piece === undefined) return { kind: 'hole', length: size - offset };
    if (offset < piece.at) return { kind: 'hole', length: piece.at - offset };
    const within = offset - piece.at;
    return { kind: 'data', length: piece.length - within, disk: archive, offset: piece.offset + within };
  };
}
