/** What a foreign tool told of a filesystem: the files that the scripts for fixtures and images write. */
import type { Time } from '../../src/fs/index.js';

/** One file. Times are decimal numbers of seconds with nine digits behind the point. */
export interface ToldFile {
  readonly path: string;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Major and minor number of a device node. */
  readonly rdev: readonly [number, number];
  readonly ino: number;
  /** In units of 512 bytes. */
  readonly blocks: number;
  readonly atime: string;
  readonly mtime: string;
  readonly ctime: string;
  /** The target of a symbolic link; empty where the teller could not read it. */
  readonly link?: string;
  /** Of regular files; null where the teller could not read the file. */
  readonly sha256?: string | null;
  /** Values in hexadecimal. */
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** What `statvfs` tells; block counts in units of `blockSize` bytes. */
export interface ToldUsage {
  readonly blockSize: number;
  readonly blocks: number;
  readonly free: number;
  readonly available: number;
  readonly files: number;
  readonly freeFiles: number;
  readonly nameLength?: number;
}

export interface Truth {
  readonly teller: 'kernel' | 'debugfs' | 'fsck.cramfs' | 'xfs_db' | 'unsquashfs';
  readonly type?: string;
  readonly label: string;
  readonly uuid: string;
  readonly statfs?: ToldUsage;
  readonly files: ReadonlyMap<string, ToldFile>;
}

/** The text of a `.truth.jsonl`: the first line tells of the filesystem, each other one of a file. */
export function parseTruth(text: string): Truth {
  const [head, ...files] = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
  return {
    ...(head as Omit<Truth, 'files'>),
    files: new Map((files as ToldFile[]).map((file) => [file.path, file])),
  };
}

/** A time as a truth has it. */
export function timeText({ seconds, nanoseconds }: Time): string {
  const total = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  const positive = total < 0n ? -total : total;
  return `${total < 0n ? '-' : ''}${positive / 1_000_000_000n}.${String(positive % 1_000_000_000n).padStart(9, '0')}`;
}

export const typeOf = ({ mode }: Pick<ToldFile, 'mode'>): number => mode & 0o170000;
export const directoryType = 0o040000;
export const regularType = 0o100000;
export const symlinkType = 0o120000;
