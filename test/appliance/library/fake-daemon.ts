/** A daemon that answers as it is told, and remembers what it was asked. */

import type { LibraryControl } from '../../../src/appliance/library/daemon.js';
import { type Daemon, libraryActions } from '../../../src/appliance/library/index.js';
import type { ProcedureControl } from '../../../src/appliance/wire/connection.js';
import { GuestfsError } from '../../../src/base/index.js';

export interface DaemonCall {
  readonly procedure: string;
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a procedure gives, or what makes it. */
type Answer = unknown | ((...args: readonly never[]) => unknown);

export class FakeDaemon implements Daemon {
  readonly tmpdir = '/tmp';
  policy: Daemon['policy'] = 'untrusted';
  readonly calls: DaemonCall[] = [];
  readonly warnings: string[] = [];
  readonly #answers: Readonly<Record<string, Answer>>;

  constructor(answers: Readonly<Record<string, Answer>>) {
    this.#answers = answers;
  }

  /** The names of the procedures that were called, in order. */
  get procedures(): string[] {
    return this.calls.map(({ procedure }) => procedure);
  }

  async call(
    procedure: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>> = {},
    control: ProcedureControl = {},
  ): Promise<unknown> {
    this.calls.push({ procedure, args, options });
    if (!Object.hasOwn(this.#answers, procedure))
      throw new GuestfsError('ENOTSUP', 'this daemon does not have it');
    const answer = this.#answers[procedure];
    return typeof answer === 'function' ? await answer(...args, options, control) : answer;
  }

  warn(message: string): void {
    this.warnings.push(message);
  }
}

/** Runs an action of the library on a daemon. */
export async function run(
  daemon: Daemon,
  action: string,
  args: readonly unknown[] = [],
  options: Readonly<Record<string, unknown>> = {},
  control: LibraryControl = {},
): Promise<unknown> {
  const perform = libraryActions.get(action);
  if (perform === undefined) throw new Error(`there is no ${action}`);
  return await perform(daemon, args, options, control);
}

/** An answer that writes to the last argument before the options, in pieces of a length. */
export function writes(bytes: Uint8Array | string, pieceLength = 8192) {
  const all = Buffer.from(bytes);
  return async (...args: readonly unknown[]): Promise<void> => {
    const sink = args.find(
      (argument): argument is NodeJS.WritableStream =>
        typeof argument === 'object' && argument !== null && 'write' in argument,
    );
    if (sink === undefined) throw new Error('nothing to write to');
    let failure: Error | undefined;
    sink.once('error', (error) => {
      failure = error;
    });
    for (let at = 0; at < all.length; at += pieceLength) {
      const piece = Buffer.from(all.subarray(at, at + pieceLength));
      if (!sink.write(piece))
        await new Promise((resolve) => sink.once('drain', resolve).once('close', resolve));
      if (failure !== undefined) throw failure;
    }
  };
}

/** All bytes of a stream. */
export async function bytesOf(source: unknown): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source as AsyncIterable<Uint8Array>) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}

export function fails(code: GuestfsError['code'], message = 'no'): () => never {
  return () => {
    throw new GuestfsError(code, message);
  };
}
