/**
 * A mailbox in shared memory, for threads that do not reach their event loop. One thread posts letters and sleeps until
 * they are answered; the others take letters and answer them. A letter is a few words; bytes lie beside the mailbox.
 *
 * A letter's state goes empty → posted → taken → answered or failed. Only the posting side sets posted, after the
 * letter's words are complete. The thread that swaps posted for taken answers the letter. So a thread that is late, or
 * never comes, takes nothing, and the posting side can withdraw a letter that nobody has taken.
 */
import { monotonicTime } from './clock.js';

/** How many letters there are, the words of each (32 bits), and the threads that answer. */
export interface MailboxShape {
  readonly letters: number;
  readonly words: number;
  readonly servers: number;
}

/** What became of a letter. `unanswered`: nobody is left to answer, or patience ran out; its taker may still be at it. */
export type LetterOutcome = 'answered' | 'failed' | 'unanswered';

interface WaitOptions {
  /** How long to wait at most. Default: for ever. */
  readonly patienceInMs?: number;
  /** Asked before each sleep, at most {@link napInMs} long, that {@link nudge} ends; what it throws ends the waiting. */
  readonly interrupted?: () => void;
}

/** How long the posting side sleeps before it asks whether it is interrupted, in milliseconds. For tests. */
export const napInMs = 50;

/** Words before the letters. */
const word = {
  /** Changed whenever there may be something new to do: answering threads sleep on it. */
  signal: 0,
  /** Changed whenever a letter was answered, or a thread left: the posting side sleeps on it. */
  answers: 1,
  /** No letter is posted from this one on. */
  end: 2,
  closed: 3,
  /** From here on one for each answering thread: 1 once it has left. */
  left: 4,
} as const;

const state = {
  empty: 0,
  posted: 1,
  answered: 2,
  failed: 3,
  /** From here on: taken, by the thread of that number. */ taken: 16,
} as const;

/** One side's view of a mailbox. Every side makes one of the same shape over the same memory, which begins as zeroes. */
export class Mailbox {
  readonly #all: Int32Array;
  readonly #shape: MailboxShape;
  readonly #lettersAt: number;

  /** Bytes of a mailbox; a multiple of 4. */
  static sizeOf({ letters, words, servers }: MailboxShape): number {
    return (word.left + servers + letters * (1 + words)) * Int32Array.BYTES_PER_ELEMENT;
  }

  constructor(memory: SharedArrayBuffer, shape: MailboxShape) {
    this.#all = new Int32Array(memory, 0, Mailbox.sizeOf(shape) / Int32Array.BYTES_PER_ELEMENT);
    this.#shape = shape;
    this.#lettersAt = word.left + shape.servers;
  }

  /** A letter's words; they stay until it is posted anew. */
  wordsOf(letter: number): Int32Array {
    const at = this.#stateAt(letter) + 1;
    return this.#all.subarray(at, at + this.#shape.words);
  }

  // For the posting side.

  /** Posts a letter; those before it may be posted too, and those behind it are not seen. It must be {@link isFree}. */
  post(letter: number, words: readonly number[]): void {
    if (!this.isFree(letter)) throw new Error(`letter ${letter} is not answered yet`);
    const at = this.#stateAt(letter);
    this.#all.set(words, at + 1);
    Atomics.store(this.#all, at, state.posted);
    Atomics.store(this.#all, word.end, letter + 1);
    this.#wake(word.signal);
  }

  /** Whether a letter may be posted: nobody has it in hand, or will take it. */
  isFree(letter: number): boolean {
    const now = this.#stateOf(letter);
    return now === state.empty || now === state.answered || now === state.failed;
  }

  /** Takes a letter back that nobody has begun. False where somebody has. */
  withdraw(letter: number): boolean {
    const at = this.#stateAt(letter);
    return Atomics.compareExchange(this.#all, at, state.posted, state.empty) === state.posted;
  }

  /** Whether a letter was withdrawn, or never posted. */
  isEmpty(letter: number): boolean {
    return this.#stateOf(letter) === state.empty;
  }

  /**
   * Sleeps until a posted letter is answered. Where the waiting ends without an answer, a letter that nobody had begun is
   * withdrawn; one that is in hand stays so until it is answered: its memory must not be used for anything else.
   */
  wait(
    letter: number,
    { patienceInMs = Number.POSITIVE_INFINITY, interrupted }: WaitOptions = {},
  ): LetterOutcome {
    const deadline = monotonicTime() + patienceInMs;
    try {
      for (;;) {
        const answers = Atomics.load(this.#all, word.answers);
        const now = this.#stateOf(letter);
        if (now === state.answered) return 'answered';
        if (now === state.failed || now === state.empty) return 'failed';
        if (this.#isDeserted(now)) return 'unanswered';
        const left = deadline - monotonicTime();
        if (left <= 0) return 'unanswered';
        interrupted?.();
        Atomics.wait(this.#all, word.answers, answers, interrupted ? Math.min(left, napInMs) : left);
      }
    } finally {
      this.withdraw(letter);
    }
  }

  /** Whether nobody is left who could answer a letter in this state. */
  #isDeserted(now: number): boolean {
    if (now >= state.taken) return this.hasLeft(now - state.taken);
    for (let server = 0; server < this.#shape.servers; server++) if (!this.hasLeft(server)) return false;
    return true;
  }

  hasLeft(server: number): boolean {
    return Atomics.load(this.#all, word.left + server) === 1;
  }

  /** Tells the answering threads that nothing more comes. */
  close(): void {
    Atomics.store(this.#all, word.closed, 1);
    this.#wake(word.signal);
  }

  // For answering threads, each with its number.

  /** Takes the first posted letter from `from` on; −1 for none. */
  take(from: number, server: number): number {
    const end = Atomics.load(this.#all, word.end);
    for (let letter = from; letter < end; letter++) {
      const at = this.#stateAt(letter);
      if (
        Atomics.load(this.#all, at) === state.posted &&
        Atomics.compareExchange(this.#all, at, state.posted, state.taken + server) === state.posted
      ) {
        return letter;
      }
    }
    return -1;
  }

  /** Answers a letter that was taken, once all that it asked for is in its place. */
  answer(letter: number, good: boolean): void {
    Atomics.store(this.#all, this.#stateAt(letter), good ? state.answered : state.failed);
    this.#wake(word.answers);
  }

  /** The signal as it is now, for {@link sleep}. */
  signal(): number {
    return Atomics.load(this.#all, word.signal);
  }

  /** Sleeps until the signal is no longer `seen`. False when nothing came. */
  sleep(seen: number, milliseconds: number): boolean {
    return Atomics.wait(this.#all, word.signal, seen, milliseconds) !== 'timed-out';
  }

  get isClosed(): boolean {
    return Atomics.load(this.#all, word.closed) === 1;
  }

  /** Has the posting side ask at once whether it is interrupted. */
  nudge(): void {
    this.#wake(word.answers);
  }

  /** Notes that a thread answers no more: by itself when it ends, or by whoever heard of its end. */
  leave(server: number): void {
    Atomics.store(this.#all, word.left + server, 1);
    this.#wake(word.answers);
  }

  #stateAt(letter: number): number {
    return this.#lettersAt + letter * (1 + this.#shape.words);
  }

  #stateOf(letter: number): number {
    return Atomics.load(this.#all, this.#stateAt(letter));
  }

  #wake(at: number): void {
    Atomics.add(this.#all, at, 1);
    Atomics.notify(this.#all, at);
  }
}
