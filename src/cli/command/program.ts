/** The command line as a whole: choosing the command, reading its options, running it, and its exit status. */
import { type EngineThread, offerThread } from '../../guestfs/preload.js';
import { isImageFile, looksLikeFile, splitImageArgument } from '../guest/image-argument.js';
import { Interrupt } from '../host/interrupt.js';
import { Output } from '../terminal/output.js';
import { commandNames, isCommandName } from './command-names.js';
import { commands } from './commands.js';
import { exitStatus, Reported, usageFailure } from './failure.js';
import { Invocation } from './invocation.js';
import { readCommandLine } from './options.js';
import { reportFailure } from './report.js';

/** The known word that is most like an unknown one. Loaded only after a typing error. */
async function nearest(word: string, known: readonly string[]): Promise<string | undefined> {
  const { nearestName } = await import('../../api/index.js');
  return nearestName(word, known);
}

/**
 * The image that the first word names if the word is no command: an existing file, or a word that looks like a file
 * name.
 */
function bareImage(word: string): string | undefined {
  if (word.startsWith('-')) return undefined;
  if (isImageFile(word)) return word;
  const { image, path } = splitImageArgument(word);
  return looksLikeFile(image) && (path === undefined || !isImageFile(image)) ? image : undefined;
}

async function unknownCommand(word: string): Promise<Error> {
  if (word.startsWith('-'))
    return usageFailure(
      `there is no option ${word} in front of a command`,
      'options stand after the command: guestfs COMMAND [OPTION]... IMAGE',
    );
  const { image, path } = splitImageArgument(word);
  if (path !== undefined && isImageFile(image))
    return usageFailure(
      `${word}: what shall be done with it?`,
      `to see it: guestfs ls ${word}, or guestfs cat ${word}`,
    );
  const near = await nearest(word, commandNames);
  if (near !== undefined) return usageFailure(`there is no command '${word}'`, `did you mean '${near}'?`);
  const { findAction, shellName } = await import('../../api/index.js');
  const { name } = findAction(word);
  if (name !== undefined)
    return usageFailure(
      `'${word}' is an action, not a command`,
      `guestfs call IMAGE ${shellName(name)} ...; see guestfs help ${shellName(name)}`,
    );
  return usageFailure(
    `there is no command '${word}', nor a file of that name`,
    'guestfs --help lists the commands',
  );
}

/** Refuses a path inside an image where a drive is expected. In other programs `cp -a` copies a tree. */
function refuseAddedPaths(added: readonly string[]): void {
  for (const word of added) {
    const { image, path } = splitImageArgument(word);
    if (path !== undefined && isImageFile(image))
      throw usageFailure(`-a ${word}: -a FILE adds a drive, and this is a path in an image`, 'leave -a out');
  }
}

/** Gives the exit status. */
async function runCommand(
  words: readonly string[],
  out: Output,
  err: Output,
  interrupt: Interrupt,
): Promise<number> {
  const [first, ...rest] = words;
  if (first === undefined || first === '--help' || first === '-h') {
    const { overview } = await import('./help-texts.js');
    if (first === undefined) throw usageFailure('a command is missing', 'guestfs --help lists the commands');
    await out.write(overview());
    return exitStatus.ok;
  }
  if (first === '--version' || first === '-V') {
    const { packageVersion } = await import('../../guestfs/index.js');
    await out.write(`guestfs ${packageVersion}\n`);
    return exitStatus.ok;
  }
  if (first === '__complete') {
    const { complete } = await import('./completion.js');
    await complete(rest, out);
    return exitStatus.ok;
  }
  // A bare image is shown.
  const image = isCommandName(first) ? undefined : bareImage(first);
  const name = image === undefined ? first : 'inspect';
  if (!isCommandName(name)) throw await unknownCommand(name);
  const command = await commands[name]();
  const { options, operands, wantsHelp } = await readCommandLine(
    image === undefined ? rest : [image, ...rest],
    command.options,
    nearest,
    command.stopAtOperand,
  );
  refuseAddedPaths(options.list('add'));
  if (wantsHelp) {
    const { commandHelp } = await import('./help-texts.js');
    await out.write(commandHelp(name));
    return exitStatus.ok;
  }
  interrupt.listen();
  const invocation = new Invocation({
    command: name,
    operands,
    options,
    out,
    err,
    signal: interrupt.signal,
  });
  await command.run(invocation);
  return invocation.isPartial ? exitStatus.corrupt : exitStatus.ok;
}

/** The command that a line names, for messages. */
function namedCommand(words: readonly string[]): string | undefined {
  const [first] = words;
  return first !== undefined && isCommandName(first) ? first : undefined;
}

/**
 * Runs the command line and resolves to the exit status. Never rejects. `thread`: the engine thread that was started
 * ahead.
 */
export async function runProgram(words: readonly string[], thread?: EngineThread): Promise<number> {
  if (thread !== undefined) offerThread(thread);
  const out = new Output(1);
  const err = new Output(2);
  const interrupt = new Interrupt();
  try {
    const status = await runCommand(words, out, err, interrupt);
    return interrupt.status ?? status;
  } catch (thrown) {
    if (interrupt.status !== undefined) return interrupt.status;
    // In `guestfs find … | head`, all output that was wanted has been written.
    if ((thrown as { code?: unknown } | null)?.code === 'EPIPE') return exitStatus.ok;
    if (thrown instanceof Reported) return thrown.status;
    const { lines, status } = reportFailure(thrown, namedCommand(words));
    err.writeNow(`${lines.join('\n')}\n`);
    return status;
  } finally {
    interrupt.stop();
  }
}
