/**
 * Actions in the shell's notation: names with dashes, required arguments as words in order, then optional ones as
 * `name:value`; numbers, truth values and lists as in guestfish; usage and help.
 */
import { readTruth } from '../base/index.js';
import type { Action, ArgumentType, OptionType } from './action.js';
import { type ActionName, actionNames, actions } from './actions.js';
import { nearestName } from './nearest.js';
import { camelCase } from './structs.js';
import { foldText, textWithNames } from './words.js';

/** What was typed does not fit the command. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A command's arguments from words; {@link checkArguments} takes them. */
interface ShellCall {
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** The name in the shell: `part_list` → `part-list`. */
export function shellName(name: ActionName): string {
  return name.replaceAll('_', '-');
}

/** The words that name an action, in small letters: as in guestfish, case does not matter. Made at the first use. */
function wordIndex(): {
  readonly byWord: ReadonlyMap<string, ActionName>;
  readonly spoken: readonly string[];
} {
  const byWord = new Map<string, ActionName>();
  const spoken: string[] = [];
  for (const name of actionNames) {
    const words = [shellName(name), ...(actions[name].aliases ?? [])];
    spoken.push(...words);
    for (const word of [...words, name, camelCase(name)]) byWord.set(word.toLowerCase(), name);
  }
  return { byWord, spoken };
}

let index: ReturnType<typeof wordIndex> | undefined;

/** The action of a word; else the most similar word that names one, if there is any. */
type FoundAction =
  | { readonly name: ActionName }
  | { readonly name: undefined; readonly nearest: string | undefined };

/** Finds an action by its name in any spelling (`part_list`, `part-list`, `partList`), or by an alias. */
export function findAction(word: string): FoundAction {
  index ??= wordIndex();
  const name = index.byWord.get(word.toLowerCase());
  if (name !== undefined) return { name };
  return { name: undefined, nearest: nearestName(word.replaceAll('_', '-'), index.spoken) };
}

/**
 * The names of the arguments that are secrets: the user is asked for them, and they never stand on the command line.
 */
export function keyArguments(name: ActionName): readonly string[] {
  return actions[name].args.filter((argument) => argument.type === 'key').map((argument) => argument.name);
}

/** 1024-based if nothing or `iB` follows the letter, 1000-based with `B`. */
const suffixes = 'KMGTPEZY';
const numberForm = /^([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)(?:([kKMGTPEZY])(iB|B)?)?$/;

/** Reads a number: decimal, octal after `0`, hexadecimal after `0x`, with a size suffix (`1K`, `10MiB`, `2GB`). */
function parseNumber(word: string, what: string): bigint {
  const [, sign, digits = '', letter, unit] = numberForm.exec(word) ?? [];
  const octal = /^0[0-9]/.test(digits);
  if (digits === '' || (octal && /[89]/.test(digits)))
    throw new UsageError(`${what}: '${word}' is no number; write 1234, 02322 (octal), 0x4d2 or 10M`);
  let value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  if (letter !== undefined)
    value *= (unit === 'B' ? 1000n : 1024n) ** BigInt(suffixes.indexOf(letter.toUpperCase()) + 1);
  return sign === '-' ? -value : value;
}

function parseInteger(word: string, what: string, low: bigint, high: bigint): bigint {
  const value = parseNumber(word, what);
  if (value < low || value > high)
    throw new UsageError(`${what}: ${word} is out of range; it must be from ${low} to ${high}`);
  return value;
}

function parseTruth(word: string, what: string): boolean {
  const value = readTruth(word);
  if (value === undefined) throw new UsageError(`${what}: '${word}' is neither true nor false`);
  return value;
}

/** Splits `a 'b c' d` at white space outside single quotes; `\'` is a quote itself. */
function parseList(word: string, what: string): string[] {
  const list: string[] = [];
  let element: string | undefined;
  let quoted = false;
  for (let at = 0; at < word.length; at++) {
    const character = word.charAt(at);
    if (character === '\\' && word.charAt(at + 1) === "'") {
      element = `${element ?? ''}'`;
      at++;
    } else if (character === "'") {
      quoted = !quoted;
      element ??= '';
    } else if (!quoted && /\s/.test(character)) {
      if (element !== undefined) list.push(element);
      element = undefined;
    } else element = (element ?? '') + character;
  }
  if (quoted) throw new UsageError(`${what}: a single quote is not closed in the list`);
  if (element !== undefined) list.push(element);
  return list;
}

function parseValue(type: ArgumentType | OptionType, word: string, what: string): unknown {
  switch (type) {
    case 'int':
      return Number(parseInteger(word, what, -(2n ** 31n), 2n ** 31n - 1n));
    case 'int64':
      return Number(parseInteger(word, what, -(2n ** 53n - 1n), 2n ** 53n - 1n));
    case 'bits64':
      return parseInteger(word, what, 0n, 2n ** 64n - 1n);
    case 'bool':
      return parseTruth(word, what);
    case 'stringList':
    case 'deviceList':
    case 'pathnameList':
    case 'filenameList':
      return parseList(word, what);
    case 'optString':
    case 'optHostPath':
      return word === '' ? null : word;
    case 'fileIn':
      return word === '-' ? '/dev/stdin' : word;
    case 'fileOut':
      return word === '-' ? '/dev/stdout' : word;
    case 'pointer':
      throw new UsageError(`${what} is a pointer of the C library, which cannot be written down`);
    default:
      return word;
  }
}

const counted = (count: number): string => `${count} argument${count === 1 ? '' : 's'}`;

/**
 * Reads the words after a command's name. `keys` are the secrets, in the order of {@link keyArguments}; they are not
 * among the words. Throws {@link UsageError} for a missing, extra or invalid word.
 */
export function parseShellArguments(
  name: ActionName,
  words: readonly string[],
  keys: readonly string[] = [],
): ShellCall {
  const action = actions[name];
  const command = shellName(name);
  const keyCount = keyArguments(name).length;
  if (keys.length !== keyCount)
    throw new UsageError(`${command}: needs ${keyCount} secrets (${keyArguments(name).join(', ')})`);
  const wanted = action.args.length - keyCount;
  if (words.length < wanted)
    throw new UsageError(`${command}: needs ${counted(wanted)}, not ${words.length}: ${usage(name)}`);
  let nextWord = 0;
  let nextKey = 0;
  const args = action.args.map((argument) => {
    if (argument.type === 'key') return keys[nextKey++];
    return parseValue(argument.type, words[nextWord++] ?? '', `${command}: ${argument.name}`);
  });
  const known = action.options;
  const options: Record<string, unknown> = {};
  for (const word of words.slice(wanted)) {
    if (known === undefined)
      throw new UsageError(`${command}: takes ${counted(wanted)}, not ${words.length}: ${usage(name)}`);
    const colon = word.indexOf(':');
    const option = colon < 0 ? '' : word.slice(0, colon);
    if (option === '')
      throw new UsageError(`${command}: '${word}' is no optional argument; write name:value: ${usage(name)}`);
    const optional = Object.hasOwn(known, option) ? known[option] : undefined;
    if (optional === undefined) {
      const near = nearestName(option, Object.keys(known));
      const hint = near === undefined ? `it has ${Object.keys(known).join(', ')}` : `did you mean ${near}?`;
      throw new UsageError(`${command}: no optional argument ${option}; ${hint}`);
    }
    if (Object.hasOwn(options, option)) throw new UsageError(`${command}: ${option} is given twice`);
    options[option] = parseValue(optional.type, word.slice(colon + 1), `${command}: ${option}`);
  }
  return { args, options };
}

/**
 * The words of each call of a command: one call, or for an action that {@link Action.repeats} one for each word
 * before the last, as in guestfish (`copy-out /a /b .`).
 */
export function shellCalls(name: ActionName, words: readonly string[]): readonly (readonly string[])[] {
  const { repeats, args } = actions[name] as Action;
  const last = words.at(-1);
  if (repeats !== true || last === undefined || words.length <= args.length) return [words];
  return words.slice(0, -1).map((word) => [word, last]);
}

const optionForms = { bool: 'true|false', int: 'N', int64: 'N', string: '..', stringList: '..' } as const;

/**
 * The usage of a command: `mkfs fstype device [blocksize:N] [label:..]`. Secrets are left out, because the user is
 * asked for them.
 */
export function usage(name: ActionName): string {
  const { args, options = {}, repeats } = actions[name] as Action;
  const parts: string[] = [shellName(name)];
  for (const argument of args) {
    if (argument.type === 'key') continue;
    if (argument.type === 'bool') parts.push('true|false');
    else parts.push(argument.type.endsWith('List') ? `'${argument.name} ...'` : argument.name);
    if (repeats && parts.length === 2) parts.push(`[${argument.name} ...]`);
  }
  for (const [option, { type }] of Object.entries(options)) parts.push(`[${option}:${optionForms[type]}]`);
  return parts.join(' ');
}

/** The notes after a help text: its needs and effects, its first version, its replacement. */
function notes(name: ActionName): string[] {
  const { aliases, deprecatedBy, group, progress, cancellable, configOnly, since, visibility } =
    actions[name];
  const secrets = keyArguments(name);
  const lines: string[] = [];
  if (typeof deprecatedBy === 'string')
    lines.push(`Deprecated: use ${shellName(deprecatedBy as ActionName)} instead.`);
  else if (deprecatedBy) lines.push('Deprecated, and nothing takes its place.');
  if (secrets.length > 0) lines.push(`Asks for: ${secrets.join(', ')}.`);
  if (configOnly) lines.push('Only before launch.');
  if (group !== undefined) lines.push(`Needs the feature group ${group}.`);
  if (progress) lines.push('Shows its progress.');
  if (cancellable) lines.push('Can be cancelled.');
  if (visibility === 'debug') lines.push('For debugging; may change.');
  if (aliases !== undefined) lines.push(`Also: ${aliases.join(', ')}.`);
  if (since !== undefined) lines.push(`Since libguestfs ${since}.`);
  return lines;
}

/** The meaning of each argument, one a line: the required ones in order, then the optional ones. */
function argumentLines(name: ActionName): string[] {
  const { args, options = {} } = actions[name] as Action;
  const all = [...args, ...Object.entries(options).map(([option, { text }]) => ({ name: option, text }))];
  return all.map(({ name, text }) => `- ${name}: ${text}.`);
}

/** The help of a command: its purpose, usage, text, arguments and notes, folded to `width` characters. */
export function helpText(name: ActionName, width = 78): string {
  const { short, help } = actions[name];
  const told = (text: string): string =>
    foldText(textWithNames(text, shellName).replace(/`([^`]+)`/g, '$1'), width);
  return [
    `${shellName(name)}: ${short}`,
    foldText(usage(name), width, '    ', '    '),
    told(help),
    told(argumentLines(name).join('\n')),
    foldText(notes(name).join('\n'), width),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}
