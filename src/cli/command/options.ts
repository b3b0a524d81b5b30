/** Options of the command line: what each command knows, and reading them with messages that help. */
import { parseArgs } from 'node:util';
import { isImageFile } from '../guest/image-argument.js';
import { parseSize } from '../terminal/sizes.js';
import { usageFailure } from './failure.js';

interface OptionKind {
  /** `flag` has no value; the others have one; a `list` may be given several times. */
  readonly type: 'flag' | 'text' | 'list' | 'size' | 'count' | 'choice';
  readonly short?: string;
  /**
   * Set if the letter must stand alone, because other programs give this letter another meaning: the text says what
   * the option means here.
   */
  readonly alone?: string;
  /** The value may be a number with a sign: `-10K`. */
  readonly signed?: true;
  /** Of a choice. */
  readonly choices?: readonly string[];
  /** An option that says the opposite. */
  readonly against?: string;
}
export type OptionTable = Readonly<Record<string, OptionKind>>;

/** The values of `--backend`. */
export const backendNames = ['auto', 'direct', 'embedded'] as const;

/** The values of `--format`: the images that can be read, by qemu's names. */
export const formatNames = [
  'raw',
  'qcow2',
  'qcow',
  'qed',
  'vpc',
  'vhdx',
  'vmdk',
  'vdi',
  'parallels',
] as const;

/** Every command has these. */
export const commonOptions = {
  help: { type: 'flag' },
  quiet: { type: 'flag', short: 'q' },
  color: { type: 'choice', choices: ['auto', 'always', 'never'] },
} as const satisfies OptionTable;

/** Those of commands that open an image. */
export const imageOptions = {
  add: { type: 'list', short: 'a', alone: '-a FILE adds a drive' },
  format: { type: 'text' },
  blocksize: { type: 'choice', choices: ['512', '4096'] },
  ro: { type: 'flag', against: 'rw' },
  rw: { type: 'flag' },
  trust: { type: 'flag' },
  backend: { type: 'text' },
  trace: { type: 'flag', short: 'x' },
  verbose: { type: 'flag', short: 'v' },
} as const satisfies OptionTable;

/** Options of commands that read paths inside a guest. */
export const guestOptions = {
  ...imageOptions,
  inspect: { type: 'flag', short: 'i' },
  mount: { type: 'list', short: 'm' },
  root: { type: 'text' },
} as const satisfies OptionTable;

/** Those of commands that show the status of files. */
export const statusOptions = {
  ...guestOptions,
  human: { type: 'flag', short: 'h' },
  numeric: { type: 'flag', short: 'n' },
  json: { type: 'flag' },
} as const satisfies OptionTable;

/** Those of commands that may take long. */
export const progressOptions = { 'no-progress': { type: 'flag' } } as const satisfies OptionTable;

/** Options of commands that show sizes to people. */
export const sizeOptions = {
  human: { type: 'flag', short: 'h' },
  bytes: { type: 'flag', short: 'b' },
} as const satisfies OptionTable;

/** The options and operands of one command line. */
export class ParsedOptions {
  readonly #values: ReadonlyMap<string, string | true | readonly string[] | number>;

  constructor(values: ReadonlyMap<string, string | true | readonly string[] | number>) {
    this.#values = values;
  }

  /** The same with other values for some; undefined for one that is not given. */
  with(changes: Readonly<Record<string, string | true | readonly string[] | undefined>>): ParsedOptions {
    const values = new Map(this.#values);
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) values.delete(name);
      else values.set(name, value);
    }
    return new ParsedOptions(values);
  }

  flag(name: string): boolean {
    return this.#values.get(name) === true;
  }

  /** The value of a text or choice. */
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === 'string' ? value : undefined;
  }

  list(name: string): readonly string[] {
    const value = this.#values.get(name);
    return Array.isArray(value) ? value : [];
  }

  /** The value of a size or count. */
  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return typeof value === 'number' ? value : undefined;
  }
}

interface CommandLine {
  readonly options: ParsedOptions;
  readonly operands: readonly string[];
  /** Whether `--help` is among the words, even if the rest of the line is wrong. */
  readonly wantsHelp: boolean;
}

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);

/**
 * Explains a word such as `-name`: one dash before the name of a long option, as `find` writes it. Undefined for
 * other words.
 */
function withTwoDashes(word: string, known: OptionTable): string | undefined {
  const [, name = ''] = /^-([a-z0-9][a-z0-9-]+)(?:=|$)/.exec(word) ?? [];
  return Object.hasOwn(known, name) ? `-${word}` : undefined;
}

/** A number of things: decimal. */
function readCount(word: string, shown: string): number {
  const value = /^[0-9]+$/.test(word) ? Number(word) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw usageFailure(`${shown} needs a number, not '${word}'`);
  return value;
}

function readValue({ type, choices = [] }: OptionKind, word: string, shown: string): string | number {
  if (type === 'size') {
    const size = parseSize(word);
    if (size === undefined)
      throw usageFailure(`${shown} needs a number of bytes, not '${word}'`, 'write 4096, 0x1000, 4K or 1M');
    return size;
  }
  if (type === 'count') return readCount(word, shown);
  if (type === 'choice' && !choices.includes(word))
    throw usageFailure(`${shown} must be one of ${choices.join(', ')}, not '${word}'`);
  return word;
}

/**
 * Reads the words after a command's name. `nearest` finds the known option that is most like an unknown one. With
 * `stopAtOperand` every word after the first operand is an operand, whatever it begins with.
 */
export async function readCommandLine(
  words: readonly string[],
  table: OptionTable,
  nearest: (word: string, known: readonly string[]) => Promise<string | undefined>,
  stopAtOperand = 0,
): Promise<CommandLine> {
  // `-h` means help, except in commands where it means human-readable sizes.
  const hasShortH = Object.values(table).some(({ short }) => short === 'h');
  const known: OptionTable = {
    ...commonOptions,
    help: hasShortH ? { type: 'flag' } : { type: 'flag', short: 'h' },
    ...table,
  };
  const described = Object.fromEntries(
    Object.entries(known).map(([name, { type, short }]) => [
      name,
      {
        type: type === 'flag' ? ('boolean' as const) : ('string' as const),
        ...(short === undefined ? {} : { short }),
        ...(type === 'list' ? { multiple: true as const } : {}),
      },
    ]),
  );
  const read = (list: readonly string[]) =>
    parseArgs({ args: [...list], options: described, strict: false, allowPositionals: true, tokens: true })
      .tokens;
  let tokens = read(words);
  let rest: readonly string[] = [];
  if (stopAtOperand > 0) {
    const operand = tokens.filter(({ kind }) => kind === 'positional')[stopAtOperand - 1];
    if (operand !== undefined) {
      rest = words.slice(operand.index + 1);
      tokens = read(words.slice(0, operand.index + 1));
    }
  }
  const shorts = new Set(Object.values(known).map(({ short }) => short));
  const values = new Map<string, string | true | readonly string[] | number>();
  const operands: string[] = [];
  const wantsHelp = tokens.some((token) => token.kind === 'option' && token.name === 'help');
  if (wantsHelp) return { options: new ParsedOptions(values), operands, wantsHelp };
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName: shown, value, inlineValue } = token;
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    const word = words[token.index] ?? '';
    const meant = withTwoDashes(word, known);
    if (meant !== undefined)
      throw usageFailure(`there is no option ${word}: long names have two dashes`, `write ${meant}`);
    const isJoined =
      kind?.short !== undefined && shown === `-${kind.short}` && /^-[A-Za-z0-9]{2,}$/.test(word);
    if (kind?.alone !== undefined && isJoined && !(inlineValue && isImageFile(value))) {
      const others = [...word.slice(1)]
        .filter((letter) => letter !== kind.short && shorts.has(letter))
        .join('');
      throw usageFailure(
        `${word}: -${kind.short} does not stand in one word with other letters: ${kind.alone}`,
        others === '' ? undefined : `write -${others}`,
      );
    }
    if (kind === undefined) {
      const near = name.length > 1 ? await nearest(name, Object.keys(known)) : undefined;
      throw usageFailure(
        `there is no option ${dashed(name)}`,
        near === undefined ? undefined : `did you mean ${dashed(near)}?`,
      );
    }
    if (kind.type === 'flag') {
      if (value !== undefined) throw usageFailure(`${shown} takes no value`);
      values.set(name, true);
      continue;
    }
    if (value === undefined) throw usageFailure(`${shown} needs a value`);
    const isNumber = kind.signed === true && /^-[0-9]/.test(value);
    if (inlineValue !== true && value.length > 1 && value.startsWith('-') && !isNumber)
      throw usageFailure(
        `${shown} needs a value`,
        `if '${value}' is the value, write ${dashed(name)}=${value}`,
      );
    if (kind.type === 'list')
      values.set(name, [...((values.get(name) as string[] | undefined) ?? []), value]);
    else if (values.has(name)) throw usageFailure(`${shown} is given twice`);
    else values.set(name, readValue(kind, value, shown));
  }
  for (const name of values.keys()) {
    const { against } = known[name] ?? {};
    if (against !== undefined && values.has(against))
      throw usageFailure(`${dashed(name)} and ${dashed(against)} cannot both be`);
  }
  return { options: new ParsedOptions(values), operands: [...operands, ...rest], wantsHelp };
}
