/**
 * POSIX regular expressions, basic and extended, as trees over bytes: POSIX.1-2017 9.3 and 9.4, with GNU grep's
 * additions (`+ ? |` with a backslash in basic ones, `\w \W \s \S \b \B \< \> \' \``), in the C locale. Undefined
 * behaviour is as in grep.
 */
import { GuestfsError } from '../../../base/index.js';
import { type Bracket, readBracket } from './bracket.js';
import { type ByteSet, named, not, only, withCases } from './byte-set.js';

export type Assertion = 'lineStart' | 'lineEnd' | 'wordStart' | 'wordEnd' | 'wordEdge' | 'noWordEdge';

/** Part of an expression. `depth` is the depth of its tree, including itself. */
export type Node = { readonly depth: number } & (
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly low: number; readonly high: number }
  | { readonly kind: 'group'; readonly part: Node; readonly number: number }
  | { readonly kind: 'reference'; readonly number: number }
);

export interface SyntaxOptions {
  readonly extended?: boolean | undefined;
  readonly fixed?: boolean | undefined;
  readonly insensitive?: boolean | undefined;
}

/** The most repetitions of an interval: RE_DUP_MAX of the GNU C library. */
const repetitionLimit = 32767;
/** The deepest nesting of groups and repetitions: the tree is walked by recursion. */
const depthLimit = 500;

const code = (character: string): number => character.charCodeAt(0);
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
const anything = not(only());

const escapedSets: Readonly<Record<string, ByteSet>> = {
  w: named('word'),
  W: not(named('word')),
  s: named('space'),
  S: not(named('space')),
};
const escapedAssertions: Readonly<Record<string, Assertion>> = {
  b: 'wordEdge',
  B: 'noWordEdge',
  '<': 'wordStart',
  '>': 'wordEnd',
  '`': 'lineStart',
  "'": 'lineEnd',
};

/** The next token: something that matches, or an operator by its character. */
type Token =
  | { readonly node: Node }
  | { readonly operator: '(' | ')' | '|' | '*' | '+' | '?' | 'end' }
  | Interval;
interface Interval {
  readonly operator: '{';
  readonly low: number;
  readonly high: number;
}

const setNode = (set: ByteSet): Node => ({ kind: 'set', set, depth: 1 });
const assertionNode = (assertion: Assertion): Node => ({ kind: 'assertion', assertion, depth: 1 });

/** One expression. `firstGroup` is the number of its first group less one, if several expressions form a pattern. */
export class Parser {
  readonly #bytes: Uint8Array;
  readonly #text: string;
  readonly #options: SyntaxOptions;
  readonly #firstGroup: number;
  #at = 0;
  #groups = 0;
  readonly #closed = new Set<number>();
  #openings = 0;
  /**
   * Whether only assertions come before this place in its branch: a repetition in a basic expression is then an
   * ordinary character.
   */
  #hasNothing = true;
  /** Whether nothing at all comes before this place in its branch. */
  #isFirst = true;
  #token: Token;

  constructor(bytes: Uint8Array, text: string, options: SyntaxOptions, firstGroup: number) {
    this.#bytes = bytes;
    this.#text = text;
    this.#options = options;
    this.#firstGroup = firstGroup;
    this.#token = this.#next();
  }

  /** The tree, and its number of groups. EINVAL for expressions that grep refuses. */
  parse(): { tree: Node; groups: number } {
    const tree = this.#choice();
    return { tree, groups: this.#groups };
  }

  #invalid(problem: string): GuestfsError {
    return new GuestfsError('EINVAL', `${this.#text}: ${problem} in the regular expression`);
  }

  #nested<N extends Node>(node: N): N {
    if (node.depth > depthLimit) throw this.#invalid(`more than ${depthLimit} nested groups or repetitions`);
    return node;
  }

  #advance(): void {
    this.#token = this.#next();
  }

  #isOperator(operator: string): boolean {
    return 'operator' in this.#token && this.#token.operator === operator;
  }

  #choice(): Node {
    const parts = [this.#sequence()];
    while (this.#isOperator('|')) {
      this.#advance();
      parts.push(this.#sequence());
    }
    return combined('choice', parts);
  }

  #sequence(): Node {
    const parts: Node[] = [];
    while (!this.#isOperator('|') && !this.#isOperator('end')) {
      if (this.#isOperator(')') && this.#openings > 0) break;
      parts.push(this.#repeated(this.#atom()));
    }
    return combined('sequence', parts);
  }

  #atom(): Node {
    const token = this.#token;
    if ('node' in token) {
      this.#advance();
      return token.node;
    }
    if (token.operator === ')') throw this.#invalid('a closing parenthesis has no beginning');
    if (token.operator !== '(') return this.#repeatedNothing();
    const number = ++this.#groups;
    this.#openings++;
    if (this.#openings > depthLimit) throw this.#invalid(`more than ${depthLimit} nested groups`);
    this.#advance();
    const part = this.#choice();
    if (!this.#isOperator(')')) throw this.#invalid('an opening parenthesis has no end');
    this.#openings--;
    this.#closed.add(number);
    this.#advance();
    return this.#nested({ kind: 'group', part, number: this.#firstGroup + number, depth: part.depth + 1 });
  }

  /** A repetition operator with nothing before it, in an extended expression: it repeats nothing. */
  #repeatedNothing(): Node {
    const isInterval = this.#isOperator('{');
    const nothing = this.#repeated(combined('sequence', []));
    // grep takes a parenthesis right after it as an ordinary character, and then reports a missing one.
    if (this.#isOperator(')') && !isInterval) throw this.#invalid('an opening parenthesis has no end');
    return nothing;
  }

  #repeated(first: Node): Node {
    let part = first;
    for (;;) {
      const bounds = boundsOf(this.#token);
      if (bounds === undefined) return part;
      this.#advance();
      const [low, high] = bounds;
      const isSame = part.kind === 'repeat' && part.low === 0 && part.high === Number.POSITIVE_INFINITY;
      if (isSame && low <= 1 && high >= 1) continue;
      part = this.#nested({ kind: 'repeat', part, low, high, depth: part.depth + 1 });
    }
  }

  #literal(byte: number): Token {
    this.#hasNothing = false;
    return { node: setNode(this.#fold(only(byte))) };
  }

  #fold(set: ByteSet): ByteSet {
    return this.#options.insensitive ? withCases(set) : set;
  }

  #found(node: Node): Token {
    this.#hasNothing = false;
    return { node };
  }

  #next(): Token {
    const wasFirst = this.#isFirst;
    this.#isFirst = false;
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) return { operator: 'end' };
    if (this.#options.fixed) return this.#literal(byte);
    const character = String.fromCharCode(byte);
    switch (character) {
      case '\\':
        return this.#escape();
      case '[':
        return this.#found(setNode(this.#bracket()));
      case '.':
        return this.#found(setNode(anything));
      case '*':
        return this.#hasNothing && !this.#options.extended ? this.#literal(byte) : this.#operator('*');
      case '^':
        return this.#options.extended || wasFirst
          ? { node: assertionNode('lineStart') }
          : this.#literal(byte);
      case '$':
        return this.#options.extended || this.#endsBranch()
          ? { node: assertionNode('lineEnd') }
          : this.#literal(byte);
      case '+':
      case '?':
      case '{':
      case '(':
      case ')':
      case '|':
        return this.#options.extended ? this.#operator(character) : this.#literal(byte);
      default:
        return this.#literal(byte);
    }
  }

  #endsBranch(): boolean {
    const after = this.#bytes[this.#at + 1];
    if (this.#at >= this.#bytes.length) return true;
    return this.#bytes[this.#at] === code('\\') && (after === code(')') || after === code('|'));
  }

  #escape(): Token {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw this.#invalid('a trailing backslash');
    const character = String.fromCharCode(byte);
    if ('+?{(|)'.includes(character)) {
      return this.#options.extended ? this.#literal(byte) : this.#operator(character as '+');
    }
    if (isDigit(byte) && byte !== code('0')) {
      const number = byte - code('0');
      if (!this.#closed.has(number)) throw this.#invalid(`a back-reference \\${number} to no group`);
      return this.#found({ kind: 'reference', number: this.#firstGroup + number, depth: 1 });
    }
    if (Object.hasOwn(escapedSets, character)) {
      return this.#found(setNode(escapedSets[character] as ByteSet)); // safe: an own property
    }
    if (Object.hasOwn(escapedAssertions, character)) {
      return { node: assertionNode(escapedAssertions[character] as Assertion) }; // safe: an own property
    }
    return this.#literal(byte);
  }

  #operator(operator: '(' | ')' | '|' | '*' | '+' | '?' | '{'): Token {
    const isRepetition = '*+?{'.includes(operator);
    if (isRepetition && this.#hasNothing && !this.#options.extended) return this.#literal(code(operator));
    if (operator === '{') return this.#interval();
    // In an extended expression, a closing parenthesis without an opening one is an ordinary character.
    if (operator === ')' && this.#openings === 0 && this.#options.extended) return this.#literal(code(')'));
    this.#isFirst = this.#hasNothing = operator === '(' || operator === '|';
    return { operator };
  }

  /** `{3}`, `{3,}`, `{,5}`, `{3,5}`; any other text in braces is ordinary in an extended expression. */
  #interval(): Token {
    const start = this.#at;
    const number = (): number | undefined => {
      let value: number | undefined;
      for (; isDigit(this.#bytes[this.#at]); this.#at++) {
        const digit = (this.#bytes[this.#at] ?? 0) - code('0');
        value = Math.min(repetitionLimit + 1, (value ?? 0) * 10 + digit);
      }
      return value;
    };
    const first = number();
    const hasComma = this.#bytes[this.#at] === code(',');
    if (hasComma) this.#at++;
    const last = hasComma ? number() : first;
    const isClosed =
      (this.#options.extended || this.#bytes[this.#at++] === code('\\')) &&
      this.#bytes[this.#at++] === code('}');
    if (!isClosed && this.#options.extended) {
      this.#at = start;
      return this.#literal(code('{'));
    }
    if (!isClosed || (first === undefined && !hasComma))
      throw this.#invalid('an interval has no bounds or no end');
    const low = first ?? 0;
    const high = last ?? Number.POSITIVE_INFINITY;
    if (low > high || Math.max(low, last ?? 0) > repetitionLimit)
      throw this.#invalid('an interval is out of range');
    this.#hasNothing = false;
    return { operator: '{', low, high };
  }

  #bracket(): ByteSet {
    const bracket: Bracket | string = readBracket(this.#bytes, this.#at, this.#options.insensitive ?? false);
    if (typeof bracket === 'string') throw this.#invalid(bracket);
    this.#at = bracket.end;
    const set = this.#fold(bracket.set);
    return bracket.isNegated ? not(set) : set;
  }
}

/** The least and most repetitions of a token; undefined for a token that repeats nothing. */
function boundsOf(token: Token): readonly [low: number, high: number] | undefined {
  if ('node' in token) return undefined;
  switch (token.operator) {
    case '*':
      return [0, Number.POSITIVE_INFINITY];
    case '+':
      return [1, Number.POSITIVE_INFINITY];
    case '?':
      return [0, 1];
    case '{':
      return [token.low, token.high];
    default:
      return undefined;
  }
}

/** Parts one after the other, or one of them. */
export function combined(kind: 'sequence' | 'choice', parts: readonly Node[]): Node {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return { kind, parts, depth: 1 + parts.reduce((most, { depth }) => Math.max(most, depth), 0) };
}
