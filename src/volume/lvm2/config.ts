/**
 * The language of LVM's metadata and configuration: `name = value` and `name { … }`, where a value is a number, a
 * string in quotes or a list in brackets; `#` begins a comment. By lvm2's libdm/libdm-config.c.
 */
import { CorruptError, decodeText } from '../../base/index.js';

type ConfigScalar = string | number;
export type ConfigValue = ConfigScalar | readonly ConfigScalar[] | ConfigSection;

/** A section: its contents by name, in the order of the text. */
export interface ConfigSection extends ReadonlyMap<string, ConfigValue> {}

/** The strings of a value: a single one, or those of its list. */
export function namesIn(value: ConfigValue | undefined): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** lvm2 writes four levels; a reader that recurses needs some limit. */
const deepest = 16;
/** Tens of thousands of volumes; keeps a hostile text from filling the memory. */
const mostValues = 500_000;

type Token =
  | { readonly kind: 'name' | 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string; readonly value: number }
  | { readonly kind: '{' | '}' | '[' | ']' | '=' | ',' | 'end' };

const whitespace = /[ \t\r\n\v\f\0]/;
const punctuation = new Set(['{', '}', '[', ']', '=', ',']);

class Parser {
  readonly #text: string;
  #at = 0;
  #token: Token;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
    this.#token = this.#scan();
  }

  #fail(problem: string): CorruptError {
    return new CorruptError('LVM metadata text', problem, { position: this.#at });
  }

  #skip(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text.charAt(this.#at);
      if (character === '#') {
        const end = this.#text.indexOf('\n', this.#at);
        this.#at = end < 0 ? this.#text.length - 1 : end;
      } else if (!whitespace.test(character)) return;
    }
  }

  #scan(): Token {
    this.#skip();
    if (this.#at >= this.#text.length) return { kind: 'end' };
    const first = this.#text.charAt(this.#at);
    if (first === '"' || first === "'") return this.#scanString(first);
    if (punctuation.has(first)) {
      this.#at++;
      return { kind: first as '{' | '}' | '[' | ']' | '=' | ',' }; // safe: one of the set
    }
    const start = this.#at;
    while (this.#at < this.#text.length) {
      const character = this.#text.charAt(this.#at);
      if (whitespace.test(character) || punctuation.has(character) || character === '#' || character === '"')
        break;
      this.#at++;
    }
    const word = this.#text.slice(start, this.#at);
    // A unary plus is never written. A fraction is legal, but no metadata has one.
    if (!/^[-+]?\d+(\.\d*)?$/.test(word)) {
      if (word === '') throw this.#fail('has a character out of place');
      return { kind: 'name', text: word };
    }
    return { kind: 'number', text: word, value: Number(word) };
  }

  /** In double quotes a backslash escapes the next character; in single quotes no character is special. */
  #scanString(quote: string): Token {
    const pieces: string[] = [];
    let start = ++this.#at;
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text.charAt(this.#at);
      if (character === quote) {
        pieces.push(this.#text.slice(start, this.#at++));
        return { kind: 'string', text: pieces.join('') };
      }
      if (character === '\\' && quote === '"') {
        pieces.push(this.#text.slice(start, this.#at));
        start = ++this.#at;
      }
    }
    throw this.#fail('has a string without an end');
  }

  #next(): Token {
    const token = this.#token;
    this.#token = this.#scan();
    return token;
  }

  #count(): void {
    if (++this.#values > mostValues) throw this.#fail(`has more than ${mostValues} values`);
  }

  /** The contents up to the closing brace, or at depth 0 to the end of the text. */
  section(depth: number): ConfigSection {
    if (depth > deepest) throw this.#fail(`is nested deeper than ${deepest} levels`);
    const entries = new Map<string, ConfigValue>();
    for (;;) {
      const name = this.#next();
      if (name.kind === 'end' || name.kind === '}') {
        if ((name.kind === 'end') !== (depth === 0)) throw this.#fail('has braces that do not match');
        return entries;
      }
      // A name may be a number, as a volume group called "123" is.
      if (!('text' in name)) throw this.#fail(`has '${name.kind}' where a name should be`);
      this.#count();
      const follows = this.#next();
      if (follows.kind === '{') entries.set(name.text, this.section(depth + 1));
      else if (follows.kind === '=') entries.set(name.text, this.#value());
      else throw this.#fail(`has neither '=' nor '{' after a name`);
    }
  }

  #scalar(token: Token): ConfigScalar {
    if ('value' in token) return token.value;
    if ('text' in token) return token.text;
    throw this.#fail(`has '${token.kind}' where a value should be`);
  }

  #value(): ConfigValue {
    const first = this.#next();
    if (first.kind !== '[') return this.#scalar(first);
    const list: ConfigScalar[] = [];
    for (;;) {
      const token = this.#next();
      if (token.kind === ']') return list;
      this.#count();
      list.push(this.#scalar(token));
      if (this.#token.kind === ',') this.#next();
      else if (this.#token.kind !== ']') throw this.#fail('has a list without a comma');
    }
  }
}

/** Parses a text. CorruptError for a syntax error, with its position in characters. */
export function parseConfig(text: Uint8Array): ConfigSection {
  return new Parser(decodeText(text)).section(0);
}
