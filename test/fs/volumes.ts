/** The volumes in a folder of test/fixtures, each with what a foreign tool told of it. */
import { basename } from 'node:path';
import { fixturesIn, readFixture, readFixtureJson, readFixtureText } from '../support/fixtures.js';
import { parseTruth, type Truth } from '../support/truth.js';
import type { Volume } from './conformance.js';

export interface FolderOptions {
  /** What `label` in the truth stands for; blkid's escapes are undone, for instance. */
  readonly label?: (told: string) => string;
  /** Whether volumes are stored without the zeroes at their ends: `volumes.json` has their sizes. */
  readonly trimmed?: boolean;
}

/** The files `NAME.ENDING.gz` and `NAME.truth.jsonl.gz`. */
export class VolumeFolder {
  readonly names: readonly string[];
  readonly #folder: string;
  readonly #ending: string;
  readonly #label: (told: string) => string;
  readonly #sizes: Readonly<Record<string, number>>;

  constructor(folder: string, ending: string, options: FolderOptions = {}) {
    this.#folder = folder;
    this.#ending = `.${ending}.gz`;
    this.#label = options.label ?? ((told) => told);
    this.#sizes = options.trimmed ? readFixtureJson(`${folder}/volumes.json`) : {};
    this.names = fixturesIn(folder, /\.gz$/)
      .filter((path) => path.endsWith(this.#ending))
      .map((path) => basename(path, this.#ending));
  }

  /** A volume's bytes: a fresh copy each time. */
  read(name: string): Uint8Array {
    return readFixture(`${this.#folder}/${name}${this.#ending}`, this.#sizes[name]);
  }

  /** The same as a Buffer, with its readers and writers of numbers. */
  readBuffer(name: string): Buffer {
    return Buffer.from(this.read(name).buffer);
  }

  truth(name: string): Truth {
    const truth = parseTruth(readFixtureText(`${this.#folder}/${name}.truth.jsonl.gz`));
    return { ...truth, label: this.#label(truth.label) };
  }

  /** All of them for a suite, each with what is its own. */
  volumes(own: (name: string) => Partial<Volume> = () => ({})): Volume[] {
    return this.names.map((name) => ({
      name,
      read: () => this.read(name),
      truth: () => this.truth(name),
      ...own(name),
    }));
  }
}
