/**
 * POSIX regular expressions, basic and extended, as JavaScript's. POSIX.1-2017 9.3 and 9.4, with the GNU additions
 * that `grep` users know (`\+ \? \|` in basic ones, `\w \W \s \S \b \B \< \> \' \``).
 *
 * One difference stays: POSIX wants the longest of several alternatives, JavaScript takes the first that matches.
 * Whether a line matches at all, which is what the actions ask, does not depend on it.
 */
import { GuestfsError } from '../base/index.js';

export interface RegexOptions {
  readonly extended?: boolean;
  readonly insensitive?: boolean;
}

/** `[[:alpha:]]` and the like, as the inside of a JavaScript class (C locale). */
const classes: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
};

/** Escapes that mean the same in both, or have a close equivalent. */
const escapes: Readonly<Record<string, string>> = {
  w: '[0-9A-Za-z_]',
  W: '[^0-9A-Za-z_]',
  s: '\\s',
  S: '\\S',
  b: '\\b',
  B: '\\B',
  '<': '\\b(?=[0-9A-Za-z_])',
  '>': '\\b(?<=[0-9A-Za-z_])',
  '`': '^',
  "'": '$',
};

/** A character that stands for itself, safe anywhere in a JavaScript expression. */
const literal = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/-]/u, '\\$&');

function invalid(pattern: string, problem: string): GuestfsError {
  return new GuestfsError('EINVAL', `${pattern}: ${problem} in the regular expression`);
}

class Translator {
  readonly #pattern: string;
  readonly #characters: readonly string[];
  readonly #extended: boolean;
  #at = 0;
  #out = '';
  #depth = 0;
  #groups = 0;
  /** Where a repetition operator would have nothing to repeat: at the start, after an opening or an alternative. */
  #empty = true;

  constructor(pattern: string, extended: boolean) {
    this.#pattern = pattern;
    this.#characters = [...pattern];
    this.#extended = extended;
  }

  translate(): string {
    for (let character = this.#take(); character !== undefined; character = this.#take())
      this.#one(character);
    if (this.#depth > 0) throw invalid(this.#pattern, 'an opening parenthesis has no end');
    return this.#out;
  }

  #take(): string | undefined {
    return this.#characters[this.#at++];
  }

  #looking(text: string): boolean {
    return this.#characters.slice(this.#at, this.#at + text.length).join('') === text;
  }

  #add(text: string): void {
    this.#out += text;
    this.#empty = false;
  }

  #one(character: string): void {
    switch (character) {
      case '\\':
        return this.#escape();
      case '[':
        return this.#add(this.#bracket());
      case '.':
        return this.#add('.');
      case '*':
        if (!this.#empty) return this.#repeat('*');
        // With nothing before it, it is itself in a basic expression, and nothing at all in an extended one.
        if (!this.#extended) return this.#add('\\*');
        return this.#dropAnchor();
      case '^':
        if (this.#extended || this.#empty) {
          this.#out += '^';
          return;
        }
        return this.#add('\\^');
      case '$': {
        const last = this.#at >= this.#characters.length || this.#looking('\\)') || this.#looking('\\|');
        return this.#add(this.#extended || last ? '$' : '\\$');
      }
      case '+':
      case '?':
      case '{':
      case '(':
      case ')':
      case '|':
        return this.#extended ? this.#operator(character) : this.#add(literal(character));
      default:
        return this.#add(literal(character));
    }
  }

  #escape(): void {
    const character = this.#take();
    if (character === undefined) throw invalid(this.#pattern, 'a trailing backslash');
    if ('+?{(|'.includes(character) || (character === ')' && !this.#extended)) {
      return this.#extended ? this.#add(literal(character)) : this.#operator(character);
    }
    if (/[1-9]/.test(character)) {
      if (Number(character) > this.#groups)
        throw invalid(this.#pattern, `a back-reference \\${character} to no group`);
      return this.#add(`(?:\\${character})`);
    }
    const known = Object.hasOwn(escapes, character) ? escapes[character] : undefined;
    this.#add(known ?? literal(character));
  }

  #operator(character: string): void {
    switch (character) {
      case '(':
        this.#depth++;
        this.#groups++;
        this.#out += '(';
        this.#empty = true;
        return;
      case ')':
        if (this.#depth === 0) {
          if (this.#extended) return this.#add('\\)');
          throw invalid(this.#pattern, 'a closing parenthesis has no beginning');
        }
        this.#depth--;
        return this.#add(')');
      case '|':
        this.#out += '|';
        this.#empty = true;
        return;
      case '{':
        return this.#interval();
      default:
        if (!this.#empty) return this.#repeat(character);
        if (!this.#extended) return this.#add(literal(character));
        if (character === '?') this.#dropAnchor();
    }
  }

  /** `^*` and `^?` in an extended expression: an anchor that need not hold. */
  #dropAnchor(): void {
    if (this.#out.endsWith('^')) this.#out = this.#out.slice(0, -1);
  }

  #repeat(operator: string): void {
    // A repeated repetition (`a**`) is legal in POSIX; JavaScript wants the inner one grouped.
    this.#out += operator;
    while (this.#looking('*') || (this.#extended && (this.#looking('+') || this.#looking('?')))) {
      const next = this.#take();
      if (next === '*' || operator !== next) {
        this.#out = `${this.#out.slice(0, -1)}*`;
        operator = '*';
      }
    }
  }

  #interval(): void {
    if (this.#empty && !this.#extended) return this.#add('\\{');
    const rest = this.#characters.slice(this.#at).join('');
    const match = (this.#extended ? /^(\d*)(,?)(\d*)\}/ : /^(\d*)(,?)(\d*)\\\}/).exec(rest);
    if (match === null || (match[1] === '' && match[2] === '')) {
      if (this.#extended) return this.#add('\\{');
      throw invalid(this.#pattern, 'an interval has no end');
    }
    this.#at += match[0].length;
    const low = Number(match[1] || '0');
    const high = match[2] === '' ? low : match[3] === '' ? undefined : Number(match[3]);
    if (low > 32767 || (high !== undefined && (high > 32767 || high < low))) {
      throw invalid(this.#pattern, 'an interval is out of range');
    }
    if (this.#empty) return;
    this.#out += `{${low},${high ?? ''}}`;
  }

  #bracket(): string {
    let inside = '';
    const negated = this.#looking('^');
    if (negated) this.#at++;
    for (let first = true; ; first = false) {
      const character = this.#take();
      if (character === undefined) throw invalid(this.#pattern, 'a bracket has no end');
      if (character === ']' && !first) break;
      if (character === '[' && (this.#looking(':') || this.#looking('.') || this.#looking('='))) {
        inside += this.#namedClass(this.#take() ?? '');
        continue;
      }
      // A hyphen between two characters makes a range; it stands for itself first and last.
      const range =
        this.#looking('-') &&
        this.#characters[this.#at + 1] !== ']' &&
        this.#at + 1 < this.#characters.length;
      if (!range) {
        inside += literal(character);
        continue;
      }
      this.#at++;
      const last = this.#take() ?? '';
      if ((last.codePointAt(0) ?? 0) < (character.codePointAt(0) ?? 0)) {
        throw invalid(this.#pattern, `the range ${character}-${last} is empty`);
      }
      inside += `${literal(character)}-${literal(last)}`;
    }
    return `[${negated ? '^' : ''}${inside}]`;
  }

  #namedClass(kind: string): string {
    const rest = this.#characters.slice(this.#at).join('');
    const end = rest.indexOf(`${kind}]`);
    if (end < 0) throw invalid(this.#pattern, `[${kind} has no end`);
    const name = rest.slice(0, end);
    this.#at += [...name].length + 2;
    if (kind !== ':') {
      if ([...name].length !== 1)
        throw invalid(this.#pattern, `there is no character [${kind}${name}${kind}]`);
      return literal(name);
    }
    const known = Object.hasOwn(classes, name) ? classes[name] : undefined;
    if (known === undefined) throw invalid(this.#pattern, `there is no class [:${name}:]`);
    return known;
  }
}

/** A POSIX regular expression as a JavaScript one. A malformed one is EINVAL, saying where. */
export function posixRegex(pattern: string, options: RegexOptions = {}): RegExp {
  const translated = new Translator(pattern, options.extended ?? false).translate();
  try {
    return new RegExp(translated, options.insensitive ? 'iu' : 'u');
  } catch (cause) {
    throw new GuestfsError('EINVAL', `${pattern}: not a regular expression`, { cause });
  }
}
