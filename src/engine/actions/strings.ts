/** The printable strings in a file, as binutils' `strings` finds them. */
import { GuestfsError } from '../../base/index.js';
import type { Call } from '../call.js';
import { fileContents, piecesOf } from '../contents.js';
import type { TopicHandlers } from '../handlers.js';

/** The shortest run of characters that counts. */
const shortest = 4;

/** Bytes of a character and the order they come in, by the letter of `strings -e`. */
const encodings: Readonly<Record<string, { width: 1 | 2 | 4; little: boolean; highest: number }>> = {
  s: { width: 1, little: true, highest: 0x7e },
  S: { width: 1, little: true, highest: 0xff },
  b: { width: 2, little: false, highest: 0x7e },
  l: { width: 2, little: true, highest: 0x7e },
  B: { width: 4, little: false, highest: 0x7e },
  L: { width: 4, little: true, highest: 0x7e },
};

function findStrings(call: Call, encoding: string, path: string): string[] {
  const chosen = Object.hasOwn(encodings, encoding) ? encodings[encoding] : undefined;
  if (chosen === undefined) {
    throw new GuestfsError('EINVAL', `${encoding}: expecting one of ${Object.keys(encodings).join(' ')}`);
  }
  const { width, little, highest } = chosen;
  const found: string[] = [];
  let run = '';
  const end = (): void => {
    if (run.length >= shortest) found.push(run);
    run = '';
  };
  // A window of `width` bytes moves byte by byte until it holds a printable character, then by characters.
  let held: number[] = [];
  for (const piece of piecesOf(call, fileContents(call, path))) {
    for (const byte of piece) {
      held.push(byte);
      if (held.length < width) continue;
      const ordered = little ? held.toReversed() : held;
      const code = ordered.reduce((value, each) => value * 256 + each, 0);
      if (code === 0x09 || (code >= 0x20 && code <= highest && !(code > 0x7e && code < 0x80))) {
        run += String.fromCharCode(code > 0x7f ? 0xdc00 + code : code);
        held = [];
      } else {
        // The failed window of a running string is given up whole; without one, only its first byte is.
        held = run === '' ? held.slice(1) : [];
        end();
      }
    }
  }
  end();
  return found;
}

export const stringsHandlers = {
  strings: (call, path) => findStrings(call, 's', path),
  strings_e: (call, encoding, path) => findStrings(call, encoding, path),
} satisfies TopicHandlers;
