/**
 * What may follow on a command line, for a shell's completion. The shell's script asks `guestfs __complete SHELL WORD…`.
 * The last word is the one to be completed. The answer is a line for each candidate: the whole word, a tab, what it
 * means. The line `:files` asks for names of this machine's files too. What cannot be told is left out without a word.
 */
import { actionNames, shellName } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import { isImageFile, splitImageArgument } from '../guest/image-argument.js';
import type { Output } from '../terminal/output.js';
import { commandHelps } from './command-helps.js';
import { commandNames, isCommandName } from './command-names.js';
import { commands } from './commands.js';
import { shells } from './completion-scripts.js';
import { Failure } from './failure.js';
import { type OptionHelp, optionGroups } from './help-shape.js';
import { type Command, Invocation } from './invocation.js';
import {
  backendNames,
  commonOptions,
  formatNames,
  type OptionTable,
  type ParsedOptions,
  readCommandLine,
} from './options.js';

/** A candidate, and what it means. */
type Candidate = readonly [word: string, meaning?: string | undefined];

interface Candidates {
  readonly found: readonly Candidate[];
  /** Whether a file of this machine may stand there. */
  readonly files?: boolean;
}

/** A guest whose disk is slow, or odd, is no reason to let somebody wait. */
const patienceInMs = 5000;

const only = (found: readonly Candidate[]): Candidates => ({ found });
const files: Candidates = { found: [], files: true };
const nothing: Candidates = { found: [] };
const actionWords = (): Candidate[] => actionNames.map((name): Candidate => [shellName(name)]);
const commandWords = (): Candidate[] => commandNames.map((name) => [name, commandHelps[name].summary]);

/** A word without the quotes and backslashes that bash leaves in it. For tests. */
export function unquoted(word: string): string {
  let quote = '';
  let text = '';
  for (let at = 0; at < word.length; at++) {
    const letter = word.charAt(at);
    if (letter === quote) quote = '';
    else if (quote === '' && (letter === "'" || letter === '"')) quote = letter;
    else if (letter === '\\' && quote !== "'") text += word.charAt(++at);
    else text += letter;
  }
  return text;
}

/** What the help says of an option. */
function meaningOf(command: keyof typeof commandHelps, option: string): string | undefined {
  const { options, groups } = commandHelps[command];
  const shared = [...groups, 'common' as const].map((group) => optionGroups[group].options);
  const all: readonly OptionHelp[] = [options, ...shared].flat();
  return all.find(({ form }) => new RegExp(`(?:^|, )${option}(?: |$)`).test(form))?.text;
}

/** The values of an option. `front`: what stands before the value in the same word. */
function valuesOf(name: string, table: OptionTable, front = ''): Candidates {
  const kind = table[name];
  if (name === 'add' && front === '') return files;
  const named: Readonly<Record<string, readonly string[]>> = { backend: backendNames, format: formatNames };
  const choices = named[name] ?? kind?.choices ?? [];
  return only(choices.map((choice) => [front + choice]));
}

/** The option whose value the word after these is. */
function waitingOption(before: readonly string[], table: OptionTable): string | undefined {
  const last = before.at(-1) ?? '';
  const found = Object.entries(table).find(
    ([name, { type, short }]) =>
      type !== 'flag' && (last === `--${name}` || (short !== undefined && last === `-${short}`)),
  );
  return found?.[0];
}

/** The names in a directory of the guest that begin with the path's last part. `front`: what stands before the path. */
async function pathsOf(
  image: string,
  path: string,
  front: string,
  options: ParsedOptions,
  out: Output,
  signal: AbortSignal,
): Promise<Candidates> {
  const { withMountedGuest } = await import('../guest/mounting.js');
  const end = path.lastIndexOf('/') + 1;
  const [directory, begin] = [path.slice(0, end), path.slice(end)];
  const invocation = new Invocation({ command: '__complete', operands: [], options, out, err: out, signal });
  return await withMountedGuest(invocation, image, async ({ g, controls }) => {
    const entries = await g.readdir(directory, controls);
    const found = entries
      .filter(({ name }) => name.startsWith(begin) && name !== '.' && name !== '..' && !/[\n\r\t]/.test(name))
      .map(({ name, ftyp }): Candidate => [`${front}${directory}${name}${ftyp === 'd' ? '/' : ''}`]);
    return only(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** The words without `--backend`: what a guest's paths are is asked of the engine alone. */
const withoutBackend = (words: readonly string[]): string[] =>
  words.filter((word, index) => !/^--backend(?:=|$)/.test(word) && words[index - 1] !== '--backend');

async function operandsOf(
  name: keyof typeof commandHelps,
  command: Command,
  before: readonly string[],
  current: string,
  out: Output,
  signal: AbortSignal,
): Promise<Candidates> {
  if (name === 'doctor' || name === 'actions') return nothing;
  if (name === 'help') return only([...commandWords(), ...actionWords()]);
  if (name === 'completion') return only(before.length === 0 ? shells.map((shell) => [shell]) : []);
  const words = ['--backend', 'embedded', '--quiet', ...withoutBackend(before)];
  const { options, operands } = await readCommandLine(
    words.filter((word) => word !== '-q'),
    command.options,
    async () => undefined,
    command.stopAtOperand,
  );
  if (name === 'call') {
    const isFirst = operands.length === 0;
    if (operands.length === 1 || operands.at(-1) === ':') return only(actionWords());
    if (!isFirst) return files;
    return { found: actionWords(), files: options.list('add').length === 0 };
  }
  if (operands.length > 0 && current.startsWith('/')) {
    // Before the image may stand what it gets: a mode, an owner, the target of a link.
    const images = operands.map((operand) => splitImageArgument(operand).image);
    const image = images.find(isImageFile) ?? '';
    const { found } = await pathsOf(image, current, '', options, out, signal);
    return { found, files: name === 'cp' };
  }
  const { image, path } = splitImageArgument(current);
  if (path === undefined) return files;
  const front = current.slice(
    0,
    current.lastIndexOf(path) === -1 ? current.length : current.length - path.length,
  );
  return await pathsOf(image, path, front.endsWith(':') ? front : `${image}:`, options, out, signal);
}

async function candidates(words: readonly string[], out: Output, signal: AbortSignal): Promise<Candidates> {
  const current = words.at(-1) ?? '';
  const [name, ...before] = words.slice(0, -1);
  if (name === undefined)
    return current.startsWith('-')
      ? only([['--help'], ['--version']])
      : { found: commandWords(), files: true };
  if (!isCommandName(name)) return files;
  const command = await commands[name]();
  const table: OptionTable = { ...commonOptions, ...command.options };
  const waiting = waitingOption(before, table);
  if (waiting !== undefined) return valuesOf(waiting, table);
  const [, front = '', option = ''] = /^(--([a-z-]+)=)/.exec(current) ?? [];
  if (front !== '') return valuesOf(option, table, front);
  if (current.startsWith('-'))
    return only(Object.keys(table).map((each) => [`--${each}`, meaningOf(name, `--${each}`)]));
  return await operandsOf(name, command, before, current, out, signal);
}

/** Prints the candidates. */
export async function complete([shell, ...given]: readonly string[], out: Output): Promise<void> {
  const words = shell === 'bash' ? given.map(unquoted) : given;
  const current = words.at(-1) ?? '';
  let told: Candidates;
  try {
    told = await candidates(words, out, AbortSignal.timeout(patienceInMs));
  } catch (thrown) {
    // The command itself will say what is wrong with the line, or with the image.
    if (!(thrown instanceof GuestfsError || thrown instanceof Failure)) throw thrown;
    told = nothing;
  }
  const found = told.found.filter(([word]) => word.startsWith(current));
  await out.lines([
    ...found.map(([word, meaning]) => (meaning === undefined ? word : `${word}\t${meaning}`)),
    ...(told.files === true ? [':files'] : []),
  ]);
}
