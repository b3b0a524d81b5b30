/** The bytes on both sides of a place in a line, and the assertions that hold there. */
import { named } from './byte-set.js';
import type { Assertion } from './syntax.js';

/** An end of the line, a byte of a word, or another byte. */
export const beside = { edge: 0, other: 1, word: 2 } as const;
export type Beside = (typeof beside)[keyof typeof beside];

const words = named('word');

export const besideOf = (byte: number): Beside => (words[byte] === 1 ? beside.word : beside.other);

export function holds(assertion: Assertion, before: Beside, after: Beside): boolean {
  const wasWord = before === beside.word;
  const isWord = after === beside.word;
  switch (assertion) {
    case 'lineStart':
      return before === beside.edge;
    case 'lineEnd':
      return after === beside.edge;
    case 'wordStart':
      return !wasWord && isWord;
    case 'wordEnd':
      return wasWord && !isWord;
    case 'wordEdge':
      return wasWord !== isWord;
    case 'noWordEdge':
      return wasWord === isWord;
  }
}
