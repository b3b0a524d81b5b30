/** The committed filesystems of test/fixtures/ext, and what the kernel (or debugfs) told of them. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type Disk, MemoryDisk, OverlayDisk } from '../../../src/disk/index.js';
import { ext } from '../../../src/fs/ext/index.js';
import type { FileSystem, InodeNumber, OpenOptions, Time } from '../../../src/fs/index.js';
import { fixturesIn, readFixtureText, readFixture as unpack } from '../../support/fixtures.js';

export const fixtureNames: readonly string[] = fixturesIn('ext', /\.img\.gz$/).map((name) =>
  basename(name, '.img.gz'),
);

/** The bytes of a fixture: a fresh copy each time. */
export function readFixture(name: string): Uint8Array {
  return unpack(`ext/${name}.img.gz`);
}

/** What one file looks like, as the truth tells it: fields that do not apply are left out. */
export interface Told {
  readonly path: string;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly rdev: readonly [number, number];
  readonly ino: number;
  readonly blocks: number;
  readonly atime: string;
  readonly mtime: string;
  readonly ctime: string;
  readonly link?: string;
  /** Null of a file that cannot be read. */
  readonly sha256?: string | null;
  /** Values in hexadecimal. */
  readonly xattrs?: Readonly<Record<string, string>>;
}

export interface TruthHead {
  readonly teller: 'kernel' | 'debugfs';
  readonly type?: string;
  readonly label: string;
  readonly uuid: string;
  readonly statfs?: Readonly<Record<string, number>>;
}

export function readTruth(name: string): { head: TruthHead; files: Map<string, Told> } {
  const [head, ...files] = readFixtureText(`ext/${name}.truth.jsonl.gz`)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  return { head: head as TruthHead, files: new Map((files as Told[]).map((file) => [file.path, file])) };
}

/** Opens a fixture's bytes (or any disk's); repairs go to memory. */
export function openExt(disk: Disk, options: Partial<OpenOptions> = {}): FileSystem {
  if (!ext.open) throw new Error('the driver cannot open');
  return ext.open(disk, { overlay: (base) => new OverlayDisk(base), ...options });
}

export function openFixture(name: string, options: Partial<OpenOptions> = {}): FileSystem {
  return openExt(new MemoryDisk(readFixture(name)), options);
}

/** Seconds and nine digits, as `stat` prints them: before 1970 the whole number is negative. */
function timeText({ seconds, nanoseconds }: Time): string {
  const total = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  const positive = total < 0n ? -total : total;
  return `${total < 0n ? '-' : ''}${positive / 1_000_000_000n}.${String(positive % 1_000_000_000n).padStart(9, '0')}`;
}

export function readAll(disk: Disk): Uint8Array {
  const bytes = new Uint8Array(disk.size);
  disk.read(bytes, 0);
  return bytes;
}

function hashOf(disk: Disk): string {
  const hash = createHash('sha256');
  const piece = new Uint8Array(Math.min(disk.size, 1 << 20));
  for (let at = 0; at < disk.size; at += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, disk.size - at));
    disk.read(part, at);
    hash.update(part);
  }
  return hash.digest('hex');
}

export function tell(fs: FileSystem, path: string, inode: InodeNumber): Told {
  const stat = fs.stat(inode);
  const kind = stat.mode & 0xf000;
  const xattrs = [...fs.xattrs(inode)].map(
    ([name, value]) => [name, Buffer.from(value).toString('hex')] as const,
  );
  let sha256: string | null | undefined;
  if (kind === 0x8000) {
    try {
      sha256 = hashOf(fs.data(inode));
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOTSUP') throw error;
      sha256 = null; // encrypted: the kernel without a key cannot read it either
    }
  }
  return {
    path,
    mode: stat.mode,
    nlink: stat.linkCount,
    uid: stat.uid,
    gid: stat.gid,
    size: stat.sizeInBytes,
    rdev: [stat.deviceMajor, stat.deviceMinor],
    ino: inode,
    blocks: stat.blockCount512,
    atime: timeText(stat.accessed),
    mtime: timeText(stat.modified),
    ctime: timeText(stat.changed),
    ...(kind === 0xa000 ? { link: fs.readlink(inode) } : {}),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(xattrs.length > 0 ? { xattrs: Object.fromEntries(xattrs) } : {}),
  };
}

/** Every file by its path, the root first; `visit` may look at each entry as it is met. */
export function walk(
  fs: FileSystem,
  visit: (directory: InodeNumber, name: string, inode: InodeNumber) => void = () => {},
): Map<string, InodeNumber> {
  const found = new Map<string, InodeNumber>([['/', fs.root]]);
  const seen = new Set<InodeNumber>([fs.root]);
  const down = (directory: InodeNumber, path: string): void => {
    for (const { name, inode } of fs.entries(directory)) {
      visit(directory, name, inode);
      found.set(`${path}/${name}`, inode);
      if ((fs.stat(inode).mode & 0xf000) === 0x4000 && !seen.has(inode)) {
        seen.add(inode);
        down(inode, `${path}/${name}`);
      }
    }
  };
  down(fs.root, '');
  return found;
}
