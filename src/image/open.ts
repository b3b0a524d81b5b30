/** Opens an image with everything below it: its backing chain and data files, as far as the policy allows. */
import { dirname, resolve } from 'node:path';
import { CorruptError, GuestfsError, UnsupportedError } from '../base/index.js';
import { type Disk, FileDisk, findHostFile, type HostFile, OverlayDisk } from '../disk/index.js';
import {
  type ImageFormat,
  type ImageInfo,
  type ImagePolicy,
  type ImageSnapshot,
  isReadable,
  type ReadableFormat,
} from './format.js';
import { detectFormat, findFormat } from './formats.js';
import { type NamingImage, refusal, resolveName } from './names.js';

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
  /** Which other files the image may make us open. Default `untrusted`. */
  readonly policy?: ImagePolicy;
  /** Whether writes change the image itself. Raw images only. */
  readonly writable?: boolean;
  /** The internal snapshot to show, by id or name. */
  readonly snapshot?: string;
  /** Told what is odd but no error. */
  readonly warn?: (message: string) => void;
  /** Puts a copy-on-write overlay on top, which spills into this directory and is discarded at close. */
  readonly overlayDirectory?: string;
}

/** One image of a chain. */
export interface ChainLink extends ImageInfo {
  /** Its path on the host. */
  readonly path: string;
}

export interface OpenedImage {
  /** The guest's disk. Closing it closes every file of the chain. */
  readonly disk: Disk;
  readonly info: ChainLink;
  /** The image, its backing file, the backing file of that, … */
  readonly chain: readonly ChainLink[];
}

interface Opening {
  readonly policy: ImagePolicy;
  readonly warn: (message: string) => void;
  readonly root: NamingImage['root'];
  readonly chain: ChainLink[];
  /** Identities of the chain's files. */
  readonly seen: Set<string>;
  /** Errors that already name their file. */
  readonly placed: WeakSet<object>;
}

/**
 * Opens the image at a host path. Throws the host's errors (ENOENT, EACCES, …), EINVAL for an unknown format, EPERM where
 * the image names a file that the policy does not allow, CorruptError and UnsupportedError about the image itself.
 */
export function openImage(path: string, options: OpenImageOptions = {}): OpenedImage {
  const format = options.format === undefined ? undefined : getFormat(options.format);
  const given = resolve(path);
  const opening: Opening = {
    policy: options.policy ?? 'untrusted',
    warn: options.warn ?? (() => {}),
    root: { given: dirname(given), real: findHostFile(dirname(given)).realPath },
    chain: [],
    seen: new Set(),
    placed: new WeakSet(),
  };
  const disk = openLink(given, format, opening, options);
  const info = opening.chain[0] as ChainLink; // safe: openLink adds one before it returns
  const shown =
    options.overlayDirectory === undefined || options.writable
      ? disk
      : withOverlay(disk, options.overlayDirectory);
  return { disk: shown, info, chain: opening.chain };
}

/** The facts in an image's header. No other file is opened, whatever the image names. */
export function readImageInfo(path: string, options: { format?: string } = {}): ImageInfo {
  const format = options.format === undefined ? undefined : getFormat(options.format);
  const file = new FileDisk(path);
  try {
    return getReadable(format ?? detectFormat(file)).info(file);
  } finally {
    file.close();
  }
}

/**
 * The internal snapshots of an image, each read on demand; none in formats without snapshots. No other file is
 * opened.
 */
export function* readImageSnapshots(
  path: string,
  options: { format?: string } = {},
): Generator<ImageSnapshot, void> {
  const format = options.format === undefined ? undefined : getFormat(options.format);
  const file = new FileDisk(path);
  try {
    yield* (format ?? detectFormat(file)).snapshots?.(file) ?? [];
  } finally {
    file.close();
  }
}

function withOverlay(disk: Disk, directory: string): Disk {
  return new OverlayDisk(disk, { directory });
}

function getFormat(name: string): ImageFormat {
  const format = findFormat(name);
  if (!format) throw new GuestfsError('EINVAL', `there is no image format ‘${name}’`);
  return format;
}

/** The format, if its images can be opened; else an UnsupportedError with its name. */
function getReadable(format: ImageFormat): ReadableFormat {
  if (!isReadable(format))
    throw new UnsupportedError(`${format.name} image`, [`the image format ${format.name}`]);
  return format;
}

/**
 * Opens one file of a chain, and through it those below. `checked` is the file that the policy allowed, if it was
 * asked.
 */
function openLink(
  path: string,
  format: ImageFormat | undefined,
  opening: Opening,
  options: { writable?: boolean; snapshot?: string },
  checked?: HostFile,
): Disk {
  const depth = opening.chain.length;
  if (depth >= maxChainLength) {
    throw new CorruptError('backing chain', 'is too long', { limit: maxChainLength });
  }
  const { identity } = checked ?? findHostFile(path);
  if (opening.seen.has(identity)) throw new CorruptError('backing chain', `comes back to ${path}`);
  opening.seen.add(identity);

  const writable = options.writable ?? false;
  // Opens the file that the policy allowed, even if its name leads elsewhere by now.
  const file = new FileDisk(path, { writable, identity });
  try {
    const actual = getReadable(format ?? detectFormat(file));
    const info = actual.info(file);
    opening.chain.push({ ...info, path });
    if (writable && actual.name !== 'raw') {
      throw new UnsupportedError(`${actual.name} image`, ['changing the image itself; open it read-only']);
    }
    if (options.snapshot !== undefined && !info.snapshotCount) {
      throw new GuestfsError('ENOENT', `${path}: has no internal snapshots`);
    }
    const image: NamingImage = { path, root: opening.root, policy: opening.policy };
    return actual.open(file, {
      openNamed: (name, purpose, named) => openNamed(name, purpose, named, image, opening),
      warn: (message) => opening.warn(`${path}: ${message}`),
      memoryBudgetInBytes: Math.max(leastBudget, topBudget / 2 ** depth),
      ...(options.snapshot === undefined ? {} : { snapshot: options.snapshot }),
    });
  } catch (thrown) {
    file.close();
    throw placed(thrown, path, opening);
  }
}

/**
 * An error about the contents of a file, with the file's path: there may be several drives, and each may be a chain.
 */
function placed(thrown: unknown, path: string, opening: Opening): unknown {
  if (!(thrown instanceof CorruptError || thrown instanceof UnsupportedError)) return thrown;
  if (opening.placed.has(thrown)) return thrown;
  const named = thrown.within(path);
  opening.placed.add(named);
  return named;
}

function openNamed(
  name: string,
  purpose: 'backing' | 'data',
  namedFormat: string | undefined,
  image: NamingImage,
  opening: Opening,
): Disk {
  const named = resolveName(name, purpose, image);
  const formatName = namedFormat ?? named.format;
  if (purpose === 'data') return new FileDisk(named.path, { identity: named.file.identity });
  const what = `backing file ‘${name}’ of ${image.path}`;
  if (formatName === undefined) {
    if (image.policy !== 'trusted') throw refusal(what, 'the image does not say what format it has');
    return openLink(named.path, undefined, opening, {}, named.file);
  }
  // qemu's drivers for plain files and devices name no format: the contents are raw.
  const plain = formatName === 'file' || formatName === 'host_device';
  const format = findFormat(plain ? 'raw' : formatName);
  if (!format) throw new UnsupportedError(what, [`the image format ${formatName}`]);
  return openLink(named.path, format, opening, {}, named.file);
}
