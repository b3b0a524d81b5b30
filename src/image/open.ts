/** Opens an image with everything below it: its backing chain and data files, as far as the policy allows. */
import { CorruptError, GuestfsError, UnsupportedError } from '../base/index.js';
import { type Disk, type NamePurpose, type Origin, type OriginOpening, refusal } from '../disk/index.js';
import {
  type ContainerCodec,
  findContainer,
  listArchive,
  type UnpackOptions,
  type Unwrapped,
  unwrap,
} from './container/index.js';
import {
  type ImageFormat,
  type ImageInfo,
  type ImageSnapshot,
  isReadable,
  type ReadableFormat,
} from './format.js';
import { detectFormat, findFormat, getFormat } from './formats.js';

/** The longest chain of images. qemu has no limit; a longer chain is an attack or a mistake. */
const maxChainLength = 200;

/**
 * How much each image of a chain may keep of its tables, and again of decoded clusters: half of the image above it.
 */
const topBudget = 4 * 1024 * 1024;
const leastBudget = 64 * 1024;

export interface OpenImageOptions {
  /** The image's format by qemu's name; detected if not given. */
  readonly format?: string;
  /**
   * Whether writes change the image itself. Raw and qcow2 images can be changed: for others, `true` is an
   * UnsupportedError, and `where possible` opens them read-only.
   */
  readonly writable?: boolean | 'where possible';
  /** Which disk of an archive, by its name there; by default its first. The format is that of this disk then. */
  readonly member?: string;
  /** The internal snapshot to show, by id or name. */
  readonly snapshot?: string;
  /** How an image in a compressed file is unpacked. Without it, the image is not seen: {@link ChainLink.isPacked}. */
  readonly unpack?: UnpackOptions;
  /** Told what is odd but no error. */
  readonly warn?: (message: string) => void;
}

/** One image of a chain. */
export interface ChainLink extends ImageInfo {
  /** The name of its origin: its path on the host. */
  readonly path: string;
  /** What the image lies in at that path, from the outermost: `ova`, `tar`, `gzip`, …; absent for a plain file. */
  readonly containers?: readonly string[];
  /** Where the image lies in the file, if in one piece that is not compressed; in bytes. */
  readonly slice?: { readonly offset: number; readonly size: number };
  /** The image is compressed and was not unpacked: `format` is that of the compression, the disk its packed bytes. */
  readonly isPacked?: true;
}

export interface OpenedImage {
  /** The guest's disk. Closing it closes every file of the chain. */
  readonly disk: Disk;
  readonly info: ChainLink;
  /** The image, its backing file, the backing file of that, … */
  readonly chain: readonly ChainLink[];
}

interface Opening {
  readonly warn: (message: string) => void;
  readonly chain: ChainLink[];
  /** Identities of the chain's files. */
  readonly seen: Set<string>;
  /** Errors that already name their file. */
  readonly placed: WeakSet<object>;
}

/**
 * Opens the image of an origin; the origin's policy holds for all files that the image names. Throws the host's errors
 * (ENOENT, EACCES, …), EINVAL for an unknown format, EPERM where the image names a file that the policy does not allow,
 * CorruptError and UnsupportedError about the image itself.
 */
export function openDiskImage(origin: Origin, options: OpenImageOptions = {}): OpenedImage {
  const format = options.format === undefined ? undefined : getFormat(options.format);
  const opening: Opening = {
    warn: options.warn ?? (() => {}),
    chain: [],
    seen: new Set(),
    placed: new WeakSet(),
  };
  const disk = openLink(origin, format, opening, options);
  const info = opening.chain[0] as ChainLink; // safe: openLink adds one before it returns
  return { disk, info, chain: opening.chain };
}

/** The facts in an image's header. No other file is opened, whatever the image names. */
export function readImageInfo(origin: Origin, options: { format?: string } = {}): ImageInfo {
  const format = options.format === undefined ? undefined : getFormat(options.format);
  const file = origin.open({ writable: false });
  try {
    return getReadable(format ?? detectFormat(file)).info(file);
  } finally {
    file.close();
  }
}

/** What a file is that has an image in it. */
export interface ImageContainer {
  readonly kind: ContainerCodec | 'tar';
  /** The disks of an archive by their names: first the one that is opened where none is named. */
  readonly members: readonly string[];
}

/**
 * What an image lies in; undefined for a plain one. Nothing is unpacked: an archive that is compressed itself has no
 * members here. Errors as {@link openDiskImage}.
 */
export function readImageContainer(origin: Origin): ImageContainer | undefined {
  const file = origin.open({ writable: false });
  try {
    const kind = findContainer(file);
    if (kind === undefined || detectFormat(file).name !== 'raw') return undefined;
    const members = kind === 'tar' ? listArchive(file) : [];
    return kind === 'tar' && members.length === 0 ? undefined : { kind, members };
  } catch (thrown) {
    throw thrown instanceof GuestfsError ? thrown.within(origin.name, origin.name) : thrown;
  } finally {
    file.close();
  }
}

/**
 * The internal snapshots of an image, each read on demand; none in formats without snapshots. No other file is
 * opened.
 */
export function* readImageSnapshots(
  origin: Origin,
  options: { format?: string } = {},
): Generator<ImageSnapshot, void> {
  const format = options.format === undefined ? undefined : getFormat(options.format);
  const file = origin.open({ writable: false });
  try {
    yield* (format ?? detectFormat(file)).snapshots?.(file) ?? [];
  } finally {
    file.close();
  }
}

/** The format, if its images can be opened; else an UnsupportedError with its name. */
function getReadable(format: ImageFormat): ReadableFormat {
  if (!isReadable(format))
    throw new UnsupportedError(`${format.name} image`, [`the image format ${format.name}`]);
  return format;
}

/** What the host says of a file that may be read and not be written. */
const onlyReadable: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);

/**
 * Opens a file once, to recognise and to read it: between two openings the name could become another file's.
 * `refused`: the error of the host, where the file can only be read.
 */
function openFile(
  origin: Origin,
  writable: boolean | 'where possible',
  belowWritten: OriginOpening['belowWritten'],
  warn: (message: string) => void,
): { file: Disk; refused?: GuestfsError } {
  if (writable !== 'where possible') return { file: origin.open({ writable, belowWritten, warn }) };
  try {
    return { file: origin.open({ writable: true, warn }) };
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError && onlyReadable.has(thrown.code))) throw thrown;
    return { file: origin.open({ writable: false }), refused: thrown };
  }
}

interface LinkOptions extends Pick<OpenImageOptions, 'writable' | 'snapshot' | 'unpack' | 'member'> {
  /** Whether the image above is written to, or one further up. */
  readonly isBelowWritten?: boolean;
}

/** Opens one file of a chain, and through it those below. */
function openLink(
  origin: Origin,
  format: ImageFormat | undefined,
  opening: Opening,
  { writable = false, isBelowWritten = false, snapshot, unpack, member }: LinkOptions,
  check?: (info: ImageInfo) => void,
): Disk {
  const { name: path } = origin;
  const depth = opening.chain.length;
  if (depth >= maxChainLength) {
    throw new CorruptError('backing chain', 'is too long', { limit: maxChainLength });
  }
  if (opening.seen.has(origin.identity)) throw new CorruptError('backing chain', `comes back to ${path}`);

  const below = isBelowWritten ? (format?.name === 'raw' ? 'raw' : 'image') : undefined;
  let { file, refused } = openFile(origin, writable, below, opening.warn);
  try {
    // Where only a format is given, the file is taken as that; and no image names a file that lies in another.
    const given = member === undefined ? format : undefined;
    let actual = given ?? detectFormat(file);
    const isPlain = given !== undefined || depth > 0 || actual.name !== 'raw';
    const unwrapped =
      isPlain || findContainer(file) === undefined ? undefined : unwrap(file, path, unpack, member);
    if (member !== undefined && depth === 0 && unwrapped?.archived === undefined && !unwrapped?.packed)
      throw new GuestfsError('EINVAL', `${path}: is no archive, and has no disk ‘${member}’ in it`, { path });
    const isContained = unwrapped !== undefined && unwrapped.containers.length > 0;
    if (isContained) {
      ({ file } = unwrapped);
      if (writable === true)
        throw new UnsupportedError(`${unwrapped.containers[0]} file`, ['changing what lies in it']);
      refused = undefined;
      const { packed, containers } = unwrapped;
      if (packed !== undefined) {
        const facts = { container: containers.join(', ') };
        const { size } = file;
        opening.chain.push({
          format: packed,
          virtualSizeInBytes: size,
          path,
          containers,
          isPacked: true,
          facts,
        });
        return file;
      }
      actual = format ?? detectFormat(file);
    }
    const readable = getReadable(actual);
    const info = readable.info(file);
    check?.(info);
    opening.seen.add(origin.identity);
    opening.chain.push({ ...info, path, ...(isContained ? containedFacts(info, unwrapped, opening) : {}) });
    if (actual.writes !== true && writable === true) {
      throw new UnsupportedError(`${actual.name} image`, ['changing the image itself; open it read-only']);
    }
    if (actual.writes === true && refused !== undefined) throw refused;
    const changes = actual.writes === true && writable !== false && !isContained;
    if (snapshot !== undefined && !info.snapshotCount) {
      throw new GuestfsError('ENOENT', `${path}: has no internal snapshots`);
    }
    return readable.open(file, {
      openNamed: (name, purpose, named, expected) => {
        if (isContained)
          throw new UnsupportedError(`image in a ${unwrapped.containers.at(-1)} file`, [
            `naming another file, ‘${name}’; unpack it first`,
          ]);
        return openNamedFile(
          { name, purpose, format: named, check: expected, changes, isBelowWritten },
          origin,
          opening,
        );
      },
      neighbours: () => origin.neighbours?.() ?? [],
      warn: (message) => opening.warn(`${path}: ${message}`),
      memoryBudgetInBytes: Math.max(leastBudget, topBudget / 2 ** depth),
      writable: changes,
      ...(snapshot === undefined ? {} : { snapshot }),
    });
  } catch (thrown) {
    file.close();
    throw placed(thrown, path, opening);
  }
}

/** What is told of an image beside its own header, where it lies in something. */
function containedFacts(
  info: ImageInfo,
  { containers, archived }: Unwrapped,
  opening: Opening,
): Partial<ChainLink> {
  const facts = { ...info.facts, container: containers.join(', ') };
  if (archived === undefined) return { containers, facts };
  const { member, appliance, others, slice } = archived;
  if (others.length > 0)
    opening.warn(
      `the archive has more disks than ‘${member}’, which is opened: ${others.slice(0, 20).join(', ')}; ` +
        'the option member of add_drive opens another',
    );
  return {
    containers,
    facts: { ...facts, member, ...(appliance === undefined ? {} : { appliance }) },
    ...(containers.length === 1 && slice !== undefined ? { slice } : {}),
  };
}

/**
 * An error about the contents of a file, with the file's path: there may be several drives, and each may be a chain.
 */
function placed(thrown: unknown, path: string, opening: Opening): unknown {
  if (!(thrown instanceof CorruptError || thrown instanceof UnsupportedError)) return thrown;
  if (opening.placed.has(thrown)) return thrown;
  const named = thrown.within(path, path);
  opening.placed.add(named);
  return named;
}

/** Opens what an image names, for work on the image that does not open its disk. */
export function openNamed(
  name: string,
  purpose: NamePurpose,
  format: string | undefined,
  image: Origin,
  { changes, warn }: { readonly changes: boolean; readonly warn: (message: string) => void },
): Disk {
  const opening: Opening = { warn, chain: [], seen: new Set([image.identity]), placed: new WeakSet() };
  return openNamedFile(
    { name, purpose, format, check: undefined, changes, isBelowWritten: false },
    image,
    opening,
  );
}

interface NamedFile {
  readonly name: string;
  readonly purpose: NamePurpose;
  readonly format: string | undefined;
  readonly check: ((backing: ImageInfo) => void) | undefined;
  /** Whether the image that names it is written to. */
  readonly changes: boolean;
  /** Whether the image that names it is below one that is written to. */
  readonly isBelowWritten: boolean;
}

/** Opens what an image names. What the policy allowed is what is opened, though its name may lead elsewhere by now. */
function openNamedFile(named: NamedFile, image: Origin, opening: Opening): Disk {
  const { name, purpose } = named;
  const { origin, format: toldFormat } = image.resolve(name, purpose);
  const formatName = named.format ?? toldFormat;
  const isBelowWritten = named.changes || named.isBelowWritten;
  if (purpose !== 'backing') {
    const writable = named.changes && purpose === 'data';
    return origin.open({ writable, belowWritten: isBelowWritten ? 'image' : undefined, warn: opening.warn });
  }
  // What is wrong with the choice of the backing image is told of the image that chose it.
  const check = (backing: ImageInfo): void => {
    try {
      named.check?.(backing);
    } catch (thrown) {
      throw placed(thrown, image.name, opening);
    }
  };
  const what = `backing file ‘${name}’ of ${image.name}`;
  if (formatName === undefined) {
    if (image.policy !== 'trusted') throw refusal(what, 'the image does not say what format it has');
    return openLink(origin, undefined, opening, { isBelowWritten }, check);
  }
  // qemu's drivers for plain files and devices name no format: the contents are raw.
  const plain = formatName === 'file' || formatName === 'host_device';
  const format = findFormat(plain ? 'raw' : formatName);
  if (!format) throw new UnsupportedError(what, [`the image format ${formatName}`]);
  return openLink(origin, format, opening, { isBelowWritten }, check);
}
