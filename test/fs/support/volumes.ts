/** Volumes of test/fixtures that are stored without the zeroes at their ends, and what the kernel told of them. */
import type { OpenOptions } from '../../../src/fs/driver.js';
import { fixturePath, readFixtureBuffer, readFixtureJson, readFixtureText } from '../../support/fixtures.js';

/** The options of an opener that writes nothing. */
export const readOnly: OpenOptions = { overlay: (disk) => disk };

/** A folder of test/fixtures. */
export function fixtureFolder(name: string): string {
  return fixturePath(`${name}/`);
}

/** One file, as `scripts/lib/truth.mjs` writes it. Times are decimal numbers of seconds. */
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
  /** Null of a file that the kernel could not read. */
  readonly sha256?: string | null;
}

export interface Truth {
  readonly type: string;
  readonly label: string;
  readonly uuid: string;
  readonly statfs: Readonly<Record<string, number>>;
  readonly files: ReadonlyMap<string, Told>;
}

/** The volumes of one folder, `NAME.SUFFIX.gz`. */
export class VolumeFolder {
  readonly path: string;
  readonly names: readonly string[];
  readonly #sizes: Readonly<Record<string, number>>;
  readonly #folder: string;
  readonly #suffix: string;

  constructor(folder: string, suffix: string) {
    this.path = fixtureFolder(folder);
    this.#folder = folder;
    this.#suffix = suffix;
    this.#sizes = readFixtureJson(`${folder}/volumes.json`);
    this.names = Object.keys(this.#sizes).sort();
  }

  /** A volume's bytes: a fresh copy each time. */
  read(name: string): Buffer {
    return readFixtureBuffer(`${this.#folder}/${name}.${this.#suffix}.gz`, this.#sizes[name]);
  }

  truth(name: string): Truth {
    const lines = readFixtureText(`${this.#folder}/${name}.truth.jsonl.gz`).trimEnd().split('\n');
    const [head, ...files] = lines.map((line) => JSON.parse(line) as unknown);
    return {
      ...(head as Omit<Truth, 'files'>),
      files: new Map((files as Told[]).map((file) => [file.path, file])),
    };
  }
}

/** Text as `blkid -o export` writes it, without its backslashes. */
export function unescapeBlkid(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}
