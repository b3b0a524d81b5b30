/** Asks for secrets. They never stand on the command line, where every user of the machine sees them. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { usageFailure } from '../command/failure.js';
import type { Invocation } from '../command/invocation.js';

/** Reads one line for each name: hidden on a terminal, or from a pipe with `--keys-from-stdin`. */
export async function askSecrets(
  names: readonly string[],
  { options, err, signal }: Invocation,
): Promise<string[]> {
  if (names.length === 0) return [];
  const fromPipe = options.flag('keys-from-stdin');
  if (!fromPipe && !process.stdin.isTTY)
    throw usageFailure(
      `a secret is needed (${names.join(', ')}), and there is no terminal to ask on`,
      'give --keys-from-stdin and one line for each on standard input',
    );
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: !fromPipe });
  const answers: string[] = [];
  try {
    const reader = lines[Symbol.asyncIterator]();
    for (const name of names) {
      if (!fromPipe) err.writeNow(`${name}: `);
      signal.addEventListener('abort', () => lines.close(), { once: true });
      const line = await reader.next();
      if (!fromPipe) err.writeNow('\n');
      if (line.done) throw usageFailure(`standard input ended before ${name} was given`);
      answers.push(line.value);
    }
    return answers;
  } finally {
    lines.close();
  }
}
