/**
 * The protocol of the handle's thread and the engine's worker: typed messages over one port, and a few words of shared
 * memory for signals that must reach a worker inside a synchronous call.
 *     handle                                   worker
 *       │  start {config}                ──▶     │  opens the drives
 *       │  ◀── ready | startFailed               │
 *       │  call {serial, action, args}   ──▶     │  runs the handler
 *       │  ◀── progress, log, chunk (any number) │
 *       │  ◀── result | failure                  │
 */
import type { MessagePort } from 'node:worker_threads';
import type { BackendConfig, Carried } from '../../api/index.js';
import type { Elsewhere, MailboxShape, PlainError } from '../../base/index.js';

/** The start parameters of a worker. Its configuration is the first message. */
export interface ThreadStart {
  /** {@link sharedWord} words. */
  readonly shared: SharedArrayBuffer;
  /** The mailbox of the streams, of {@link streamMailbox}'s shape. */
  readonly streams: SharedArrayBuffer;
  /** The port for chunks of fileIn streams: a worker inside a call reads it without its event loop. */
  readonly incoming: MessagePort;
  /** The process's flags for Node, which a thread does not see: what was compiled belongs to them. */
  readonly flags: readonly string[];
  /** The command that starts it, for the same reason. */
  readonly command: string | undefined;
}

/** The words of the shared memory, an Int32Array. */
export const sharedWord = {
  /** The serial of the call that must end early. The handle writes it. */
  cancelled: 0,
  /** Requests that the handle has posted. The handle writes, the worker waits. */
  requests: 1,
} as const;
export const sharedWords = 2;

/** Chunks of a fileOut stream that may be on their way: the first letters. This bounds the memory of a slow consumer. */
export const chunksUnderWay = 4;
/** The letter by which the worker wishes for the next chunk of a fileIn stream. */
export const wishLetter = chunksUnderWay;
/** The handle's thread answers, from its event loop. */
export const streamMailbox: MailboxShape = { letters: chunksUnderWay + 1, words: 0, servers: 1 };

/**
 * A fileIn or fileOut argument: the worker does the I/O itself, or the bytes go through the port. `borrows`: who takes a
 * chunk keeps nothing of it.
 */
export type FileArgument =
  | { readonly path: string }
  | { readonly stream: true; readonly borrows?: boolean | undefined };

/** To the worker. */
export type WorkerRequest =
  /** The session's configuration: the first message, and the first one after the worker was kept. */
  | { readonly type: 'start'; readonly config: BackendConfig }
  | {
      readonly type: 'call';
      readonly serial: number;
      readonly action: string;
      readonly args: readonly unknown[];
      readonly options: Readonly<Record<string, unknown>>;
      readonly wantsProgress: boolean;
    }
  /**
   * The session ends, and says what it was. `files`: empty files, one for each drive whose writes are discarded, which
   * take what was written to it; undefined for the other drives.
   */
  | { readonly type: 'leave'; readonly serial: number; readonly files: readonly (string | undefined)[] }
  /** `sync`: what was written to the drives is on their disks before they are closed. */
  | { readonly type: 'shutdown'; readonly sync: boolean };

/**
 * On the port for chunks, to the worker: a piece of the call's fileIn stream; none: its end; an error: why it ended
 * early.
 */
export interface IncomingChunk {
  readonly serial: number;
  readonly chunk?: Uint8Array;
  readonly error?: PlainError;
}

/** From the worker. */
export type Report =
  | { readonly type: 'ready' }
  | { readonly type: 'startFailed'; readonly error: PlainError }
  | { readonly type: 'result'; readonly serial: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly serial: number; readonly error: PlainError }
  | { readonly type: 'progress'; readonly serial: number; readonly position: number; readonly total: number }
  /** A piece of the running call's fileOut stream. */
  | {
      readonly type: 'chunk';
      readonly serial: number;
      /** Answered when the consumer has taken it. */
      readonly letter: number;
      readonly chunk: Uint8Array;
    }
  /** The next piece of the running call's fileIn stream is waited for: {@link wishLetter}. */
  | { readonly type: 'wanted'; readonly serial: number }
  | {
      readonly type: 'log';
      readonly kind: 'appliance' | 'library' | 'warning';
      readonly message: string;
      /** A warning about missing parts of the running call's answer. */
      readonly partial?: boolean | undefined;
      /** Who else may do what a warning says is not supported. */
      readonly elsewhere?: Elsewhere | undefined;
    }
  /**
   * The session is closed; an error reports a problem of that. `kept`: nothing is left of the session, and the worker
   * waits for the next one. Otherwise no message follows. `carried`: what the session was, if that was asked for.
   */
  | {
      readonly type: 'stopped';
      readonly kept: boolean;
      readonly error?: PlainError;
      readonly carried?: Carried;
    }
  /** The session could not be left, and goes on. */
  | { readonly type: 'stayed'; readonly serial: number; readonly error: PlainError };
