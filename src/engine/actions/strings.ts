/** The printable strings in a file, as in binutils' `strings`. */
import { decodeText, GuestfsError } from '../../base/index.js';
import { fileContents, piecesOf } from '../session/contents.js';
import { TextList } from '../session/text-list.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

/** The shortest run of characters that counts. */
const shortest = 4;
/** A longer run is no string, but megabytes of text without a line end. */
const longest = 16 * 1024 * 1024;

/** The bytes of a character and their order, by the letter of `strings -e`. */
const encodings: Readonly<Record<string, { width: 1 | 2 | 4; little: boolean; highest: number }>> = {
  s: { width: 1, little: true, highest: 0x7e },
  S: { width: 1, little: true, highest: 0xff },
  b: { width: 2, little: false, highest: 0x7e },
  l: { width: 2, little: true, highest: 0x7e },
  B: { width: 4, little: false, highest: 0x7e },
  L: { width: 4, little: true, highest: 0x7e },
};

/** The printable bytes of a one-byte encoding: ASCII and tab, and in `S` all from 0x80 on. */
const isPrintable = (code: number, highest: number): boolean =>
  code === 0x09 || (code >= 0x20 && code <= highest && code !== 0x7f);

/** Collects printable characters, and keeps the runs that are long enough. */
class Runs {
  readonly found: TextList;
  #run: number[] = [];

  constructor(path: string) {
    this.found = new TextList(path);
  }

  get inside(): boolean {
    return this.#run.length > 0;
  }

  add(code: number): void {
    this.#run.push(code);
    if (this.#run.length > longest)
      throw new GuestfsError('EFBIG', `a string of more than ${longest} characters`);
  }

  end(): void {
    if (this.#run.length >= shortest) this.found.add(decodeText(Uint8Array.from(this.#run)));
    if (this.#run.length > 0) this.#run = [];
  }
}

function findStrings(call: Call, encoding: string, path: string): string[] {
  const chosen = Object.hasOwn(encodings, encoding) ? encodings[encoding] : undefined;
  if (chosen === undefined) {
    throw new GuestfsError('EINVAL', `${encoding}: expecting one of ${Object.keys(encodings).join(' ')}`);
  }
  const { width, little, highest } = chosen;
  const runs = new Runs(path);
  // A window of `width` bytes moves byte by byte to the first printable character, and from there by characters.
  let held = 0;
  let value = 0;
  for (const piece of piecesOf(call, fileContents(call, path))) {
    for (const byte of piece) {
      value = little ? value + byte * 256 ** held : value * 256 + byte;
      if (++held < width) continue;
      if (isPrintable(value, highest)) {
        runs.add(value);
        held = 0;
        value = 0;
      } else if (runs.inside || width === 1) {
        // When a running string fails, its window is dropped as a whole.
        runs.end();
        held = 0;
        value = 0;
      } else {
        // Without one, only its first byte is.
        value = little ? Math.floor(value / 256) : value % 256 ** (width - 1);
        held = width - 1;
      }
    }
  }
  runs.end();
  return runs.found.items;
}

export const stringsHandlers = {
  strings: (call, path) => findStrings(call, 's', path),
  strings_e: (call, encoding, path) => findStrings(call, encoding, path),
} satisfies TopicHandlers;
