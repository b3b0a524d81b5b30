/** A directory of this machine as a tar archive that is made while it is read, for a guest to unpack. */
import {
  type BigIntStats,
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { decodeText, encodeText, hostError, typeOfMode } from '../../base/index.js';
import { type TarEntry, TarHeaderWriter, tarEnd, tarPadding } from '../../formats/index.js';
import { Failure } from '../command/failure.js';

interface HostTarOptions {
  /** Owners and set-id bits too; otherwise all belongs to root. */
  readonly keepsOwners: boolean;
  /** Whether what unpacks it can make links: else symbolic ones are left out, and each name of a file is a file. */
  readonly keepsLinks: boolean;
  /** Whether the attributes of the directory itself are in the archive. */
  readonly withTop: boolean;
  /** Hears of what an archive of ours has not: sockets, pipes, devices. */
  readonly onLeftOut: (path: string, type: string) => void;
}

const pieceLength = 256 * 1024;
const nanosecondsPerSecond = 1_000_000_000n;

/** A path for system calls, as bytes, so that a name that is not UTF-8 stays as it is. */
const hostPath = (path: string): Buffer => Buffer.from(encodeText(path));

/** Asks this machine. The error names the path. */
function ask<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw hostError(path, thrown);
  }
}

function entryOf(name: string, status: BigIntStats, keepsOwners: boolean, what: Partial<TarEntry>): TarEntry {
  const mode = Number(status.mode);
  const seconds = status.mtimeNs / nanosecondsPerSecond;
  const fraction = String(status.mtimeNs % nanosecondsPerSecond).padStart(9, '0');
  const isExact = status.mtimeNs >= 0n;
  return {
    name,
    type: 'file',
    mode: mode & (keepsOwners ? 0o7777 : 0o777),
    uid: keepsOwners ? Number(status.uid) : 0,
    gid: keepsOwners ? Number(status.gid) : 0,
    sizeInBytes: 0,
    modifiedSeconds: Number(seconds),
    linkName: '',
    userName: '',
    groupName: '',
    deviceMajor: 0,
    deviceMinor: 0,
    records: new Map(isExact ? [['mtime', encodeText(`${seconds}.${fraction}`)]] : []),
    ...what,
  };
}

/** The contents of an open file, of just the length that was promised. */
function* contentsOf(fd: number, path: string, sizeInBytes: number): Generator<Uint8Array> {
  for (let done = 0; done < sizeInBytes; ) {
    const piece = new Uint8Array(Math.min(pieceLength, sizeInBytes - done));
    const count = ask(path, () => readSync(fd, piece));
    if (count === 0) throw new Failure(`${path}: became shorter while it was copied`);
    done += count;
    yield piece.subarray(0, count);
  }
  yield new Uint8Array(tarPadding(sizeInBytes));
}

/** The archive of a directory, with names that begin with `./`. */
export async function* hostTar(top: string, options: HostTarOptions): AsyncGenerator<Uint8Array> {
  let headers: Uint8Array[] = [];
  let position = 0;
  const writer = new TarHeaderWriter(
    {
      write(bytes) {
        headers.push(bytes.slice());
        position += bytes.length;
      },
    },
    true,
  );
  const take = function* (entry: TarEntry): Generator<Uint8Array> {
    writer.write(entry);
    yield* headers;
    headers = [];
  };
  /** The first name of each file that has several. */
  const known = new Map<string, string>();
  const waiting: { path: string; name: string }[] = [{ path: top, name: '.' }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, name } = next;
    // A link on the command line that leads to a directory stands for it.
    const status = ask(path, () => lstatSync(hostPath(name === '.' ? `${path}/.` : path), { bigint: true }));
    const type = typeOfMode(Number(status.mode));
    const make = (what: Partial<TarEntry>, as = name) => entryOf(as, status, options.keepsOwners, what);
    if (type === 'directory') {
      if (name !== '.' || options.withTop) yield* take(make({ type }, `${name}/`));
      const names = ask(path, () => readdirSync(hostPath(path), { encoding: 'buffer' })).sort(Buffer.compare);
      for (const each of names.reverse()) {
        const text = decodeText(each);
        waiting.push({ path: `${path}/${text}`, name: `${name}/${text}` });
      }
      continue;
    }
    if (type === 'symlink' && options.keepsLinks) {
      const linkName = decodeText(ask(path, () => readlinkSync(hostPath(path), { encoding: 'buffer' })));
      yield* take(make({ type, linkName }));
      continue;
    }
    if (type !== 'file') {
      options.onLeftOut(path, type);
      continue;
    }
    const identity = `${status.dev}:${status.ino}`;
    const first = known.get(identity);
    if (first !== undefined) {
      yield* take(make({ type: 'hardlink', linkName: first }));
      continue;
    }
    if (status.nlink > 1n && options.keepsLinks) known.set(identity, name);
    const fd = ask(path, () => openSync(hostPath(path), 'r'));
    try {
      const sizeInBytes = ask(path, () => fstatSync(fd).size);
      yield* take(make({ sizeInBytes }));
      yield* contentsOf(fd, path, sizeInBytes);
      position += sizeInBytes + tarPadding(sizeInBytes);
    } finally {
      closeSync(fd);
    }
  }
  yield new Uint8Array(tarEnd(position));
}
