/**
 * A session's warnings, in an amount that people can read: the same text once until the devices change; of many
 * warnings of one kind the first few, then one line with the number of the others when the call is done. A disk
 * determines the warnings, so nothing here grows with their number.
 */
import { type Elsewhere, elsewhereOf } from '../../base/index.js';

/** Warnings of one kind that a call tells in full. */
const toldOfAKind = 8;

/** How many kinds one call separates; further kinds are counted together. */
const kindsOfACall = 64;

/** Texts that a session remembers to have told. */
const toldOfASession = 1024;

/** Longer texts are cut: a path has at most 4095 bytes, and some messages have two. In UTF-16 units. */
const longest = 10_000;

/** How much of a text determines its kind; in UTF-16 units. */
const kindLength = 240;

/**
 * The parts in which messages of one kind differ: quoted names, paths, numbers. Each alternative ends wherever it
 * began: linear.
 */
const particulars = /"(?:[^"\\]|\\.)*"?|\/[^\s:,;)]*|0x[0-9a-f]+|[0-9]+/g;

/** The messages of one kind in the running call. */
interface Kind {
  /** Texts told in full, by this call or before it. */
  readonly texts: Set<string>;
  /** How many were not told, and the last of them. */
  rest: number;
  last: string;
  /**
   * Whether they report missing parts of the call's answer: each call then reports them again, because they concern
   * its own answer.
   */
  readonly partial: boolean;
}

/**
 * Where warnings go; `partial`: what the answer of the running call lacks; `elsewhere`: who else may do what a
 * warning says is not supported.
 */
type Teller = (message: string, partial: boolean, elsewhere?: Elsewhere) => void;

export class Warnings {
  readonly #tell: Teller;
  /** In the order of telling, the oldest first. */
  readonly #told = new Set<string>();
  readonly #kinds = new Map<string, Kind>();
  /** What {@link warnOf} has told of each device. */
  readonly #toldOf = new Map<string, Set<string>>();
  /** How many messages had no kind because the limit was reached. */
  #others = 0;

  constructor(tell: Teller) {
    this.#tell = tell;
  }

  /**
   * Reports something odd that does not stop a call. `kind` groups similar messages: needed only if they differ in
   * more than numbers, quoted names and absolute paths, or come by the hundred thousand.
   */
  warn(message: string, kind: string = kindOf(message), elsewhere?: Elsewhere): void {
    this.#add(message, kind, false, elsewhere);
  }

  /**
   * Reports that a device, or its content, cannot be read. The same fault of the same device is not reported again.
   */
  warnOf(device: string, error: Error, what?: string): void {
    const { message } = error;
    const told = this.#toldOf.get(device) ?? new Set();
    this.#toldOf.set(device, told);
    const bare = message.startsWith(`${device}: `) ? message.slice(device.length + 2) : message;
    if (told.has(bare)) return;
    told.add(bare);
    const text = what === undefined ? `${device}: ${bare}` : `${device}: ${what}: ${bare}`;
    this.warn(text, undefined, elsewhereOf(error));
  }

  /** Reports damage that is left out of the running call's answer. */
  leaveOut(message: string, elsewhere?: Elsewhere): void {
    this.#add(message, 'left out', true, elsewhere);
  }

  #add(message: string, kind: string, partial: boolean, elsewhere: Elsewhere | undefined): void {
    const known = this.#kindNamed(kind, partial);
    if (known === undefined) {
      this.#others++;
      return;
    }
    const text = message.length > longest ? `${message.slice(0, longest)}…` : message;
    if (known.texts.has(text)) return;
    if (known.texts.size < toldOfAKind) {
      known.texts.add(text);
      this.#tellOnce(text, partial, elsewhere);
      return;
    }
    known.rest++;
    known.last = text;
  }

  /** The call or the launch is done: reports how many messages of each kind were held back. */
  settle(): void {
    for (const [, { texts, rest, last, partial }] of this.#kinds) {
      const [first] = texts;
      // A lone one is as short in full.
      if (rest === 1) this.#tellOnce(last, partial);
      else if (rest > 1) this.#tellOnce(`${rest.toLocaleString('en')} more like this: ${first}`, partial);
    }
    if (this.#others > 0) this.#tellOnce(`${this.#others.toLocaleString('en')} more warnings of other kinds`);
    this.#kinds.clear();
    this.#others = 0;
  }

  /** The devices have changed: warnings about them are reported again. */
  forget(): void {
    this.#told.clear();
  }

  /** A device is examined again: its faults are reported again. */
  forgetFaultsOf(device: string): void {
    this.#toldOf.delete(device);
  }

  #kindNamed(name: string, partial: boolean): Kind | undefined {
    let kind = this.#kinds.get(name);
    if (kind === undefined && this.#kinds.size < kindsOfACall) {
      kind = { texts: new Set(), rest: 0, last: '', partial };
      this.#kinds.set(name, kind);
    }
    return kind;
  }

  #tellOnce(text: string, partial = false, elsewhere?: Elsewhere): void {
    if (partial) return this.#tell(text, true, elsewhere);
    if (this.#told.has(text)) return;
    if (this.#told.size >= toldOfASession)
      for (const oldest of this.#told) {
        this.#told.delete(oldest);
        break;
      }
    this.#told.add(text);
    this.#tell(text, false, elsewhere);
  }
}

/** A message without the parts that differ within its kind. */
function kindOf(message: string): string {
  return message.slice(0, kindLength).replace(particulars, '#');
}
