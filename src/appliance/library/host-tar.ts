/**
 * A file or a tree of the host as a tar archive, made piece by piece as the reader wants it. As in `tar`, links are
 * stored as links, a file with several names is stored once, and sockets, which tar cannot store, are left out.
 */

import type { BigIntStats } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { decodeText, encodeText, GuestfsError, hostError } from '../../base/index.js';
import { deviceNumbers, type TarEntry, TarHeaderWriter, tarEnd, tarPadding } from '../../formats/index.js';

/** A path as bytes, so that names that are not UTF-8 stay unchanged. */
type HostPathBytes = Buffer;

interface HostTarOptions {
  /** Asked between files; throws to end it. */
  readonly checkpoint: () => void;
  readonly warn: (message: string) => void;
}

interface Pending {
  readonly path: HostPathBytes;
  /** As stored, without a slash at the end. */
  readonly name: string;
}

const noRecords: ReadonlyMap<string, Uint8Array> = new Map();
const pieceLength = 256 * 1024;
const slash = Buffer.from('/');

/** The deepest nesting of directories: the kernel's longest path has no more components. */
const depthLimit = 4096;

async function onHost<T>(path: HostPathBytes, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw hostError(decodeText(path), thrown);
  }
}

function typeOf(stats: BigIntStats): TarEntry['type'] | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isCharacterDevice()) return 'character';
  return stats.isBlockDevice() ? 'block' : undefined;
}

const toSeconds = (nanoseconds: bigint): number => Number(nanoseconds / 1_000_000_000n);

class HostTar {
  readonly #options: HostTarOptions;
  readonly #headers: TarHeaderWriter;
  /** The header writer's output since the last take. */
  #written: Uint8Array[] = [];
  /** For files with several names: the first name, by device and inode. */
  readonly #linked = new Map<string, string>();
  #length = 0;

  constructor(options: HostTarOptions) {
    this.#options = options;
    // The writer uses its block again.
    this.#headers = new TarHeaderWriter({ write: (bytes) => this.#written.push(bytes.slice()) }, false);
  }

  async *archive(top: Pending): AsyncGenerator<Uint8Array> {
    const waiting: { pending: Pending; depth: number }[] = [{ pending: top, depth: 0 }];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      this.#options.checkpoint();
      const { pending, depth } = next;
      const stats = await onHost(pending.path, () => lstat(pending.path, { bigint: true }));
      const type = typeOf(stats);
      if (type === undefined) {
        this.#options.warn(
          `${decodeText(pending.path)}: a socket has no place in a tar archive and is left out`,
        );
        continue;
      }
      yield* this.#entry(pending, stats, type);
      if (type !== 'directory') continue;
      if (depth === depthLimit) throw new GuestfsError('ELOOP', `${pending.name}: directories too deep`);
      for (const child of (await this.#children(pending)).reverse())
        waiting.push({ pending: child, depth: depth + 1 });
    }
    yield new Uint8Array(tarEnd(this.#length));
  }

  async #children({ path, name }: Pending): Promise<Pending[]> {
    const names = await onHost(path, () => readdir(path, { encoding: 'buffer' }));
    return names.map((bytes) => ({
      path: Buffer.concat([path, slash, bytes]),
      name: `${name}/${decodeText(bytes)}`,
    }));
  }

  async *#entry(
    { path, name }: Pending,
    stats: BigIntStats,
    type: TarEntry['type'],
  ): AsyncGenerator<Uint8Array> {
    const identity = `${stats.dev}/${stats.ino}`;
    const device = deviceNumbers(Number(stats.rdev));
    const first = type !== 'directory' && stats.nlink > 1n ? this.#linked.get(identity) : undefined;
    if (first === undefined && type !== 'directory' && stats.nlink > 1n) this.#linked.set(identity, name);
    const sizeInBytes = type === 'file' && first === undefined ? Number(stats.size) : 0;
    const target = async (): Promise<string> =>
      decodeText(await onHost(path, () => readlink(path, { encoding: 'buffer' })));
    this.#headers.write({
      name: type === 'directory' ? `${name}/` : name,
      type: first === undefined ? type : 'hardlink',
      mode: Number(stats.mode),
      uid: Number(stats.uid),
      gid: Number(stats.gid),
      sizeInBytes,
      modifiedSeconds: toSeconds(stats.mtimeNs),
      linkName: first ?? (type === 'symlink' ? await target() : ''),
      // Only the numbers are stored. With names, the appliance would translate them to its own numbers.
      userName: '',
      groupName: '',
      deviceMajor: device.major,
      deviceMinor: device.minor,
      records: noRecords,
    });
    const header = Buffer.concat(this.#written);
    this.#written = [];
    this.#length += header.length + sizeInBytes + tarPadding(sizeInBytes);
    yield header;
    if (type === 'file' && first === undefined) yield* this.#contents(path, sizeInBytes);
  }

  /**
   * Exactly the number of bytes in the header: a file that grows meanwhile is cut, and a file that shrinks is an
   * error.
   */
  async *#contents(path: HostPathBytes, sizeInBytes: number): AsyncGenerator<Uint8Array> {
    if (sizeInBytes === 0) return;
    const file = await onHost(path, () => open(path, 'r'));
    try {
      for (let left = sizeInBytes; left > 0; ) {
        this.#options.checkpoint();
        const piece = Buffer.allocUnsafe(Math.min(pieceLength, left));
        const { bytesRead } = await onHost(path, () => file.read(piece, 0, piece.length, sizeInBytes - left));
        if (bytesRead === 0) throw new GuestfsError('EIO', `${decodeText(path)}: shrank while it was read`);
        left -= bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
    yield new Uint8Array(tarPadding(sizeInBytes));
  }
}

/** The archive of the file or tree at `path`, under `name`. Rejects with the host's errors. */
export function archiveOf(path: string, name: string, options: HostTarOptions): AsyncGenerator<Uint8Array> {
  return new HostTar(options).archive({ path: Buffer.from(encodeText(path)), name });
}
