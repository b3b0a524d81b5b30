/**
 * The events of a handle: their callbacks, the order of calls, and the output of messages without a callback.
 *
 * Callbacks get each text unchanged, with control characters, so that a program can compare it or show it in its own
 * way. Text that the handle itself writes is escaped, so that no name of a guest forges a line or controls a
 * terminal.
 *
 * A callback that throws never disturbs the action. Its error becomes a `warning`. An error of a callback for
 * warnings goes to the default output, so that there is no endless loop.
 */
import {
  allEvents,
  type EventName,
  type EventTable,
  eventNames,
  events,
  maxEventCallbacks,
  type Progress,
} from '../../api/index.js';
import { escapeControls, GuestfsError } from '../../base/index.js';

/** What each event brings with it. */
interface Bodies {
  none: unknown;
  message: {
    readonly message: string;
    /** For a warning: whether the running call's answer lacks a part that could not be read. */
    readonly partial?: boolean;
  };
  array: { readonly progress: Progress };
}

/** An event as callbacks get it: `progress` has a `progress`, events with a text have a `message`. */
export type GuestfsEvent<E extends EventName = EventName> = {
  [N in E]: { readonly event: N; readonly mask: number } & Bodies[(typeof events)[N]['payload']];
}[E];

/** The first argument of a listener of `on`: the progress, the message, or nothing. */
export type EventValue<E extends EventName> = {
  none: undefined;
  message: string;
  array: Progress;
}[(typeof events)[E]['payload']];

/** The events with a text. The text is raw: it may hold any bytes of a guest's file names. */
type MessageEvent = {
  [E in EventName]: (typeof events)[E]['payload'] extends 'message' ? E : never;
}[EventName];

/** One callback of a handle. */
export interface Registration {
  /** The number from `setEventCallback`. */
  readonly eventHandle: number;
  readonly mask: number;
}

interface Listener extends Registration {
  callback: (event: GuestfsEvent) => unknown;
  /** Called when the handle ends: no event follows. */
  readonly ended: (() => void) | undefined;
  removed: boolean;
}

/** The output for messages without a callback: standard error, or the one that the handle was made with. */
export interface TextOutput {
  write(text: string): unknown;
}

interface HubOptions {
  /** The output for messages without a callback; null for none. */
  readonly output: TextOutput | null;
  readonly isVerbose: () => boolean;
  readonly identifier: () => string;
}

/** The bits of some events. Throws GuestfsError (EINVAL) for an empty list, unknown bits and unknown names. */
export function eventMask(given: number | EventName | readonly EventName[]): number {
  let mask = 0;
  if (typeof given === 'number') mask = given;
  else
    for (const name of typeof given === 'string' ? [given] : given) mask |= events[name]?.mask ?? ~allEvents;
  if (!Number.isInteger(mask) || mask === 0 || (mask & ~allEvents) !== 0)
    throw new GuestfsError('EINVAL', `no such events: ${String(given) || 'none given'}`);
  return mask;
}

export class EventHub {
  readonly #options: HubOptions;
  /** In the order of registration. The array is replaced at each change, so a loop over it is undisturbed. */
  #listeners: readonly Listener[] = [];
  /** All events that somebody listens to. */
  #mask = 0;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** Adds a callback. Throws GuestfsError (ENOSPC) if the handle has the maximum number. */
  add(mask: number, callback: (event: GuestfsEvent) => unknown, ended?: () => void): Registration {
    if (this.#listeners.length >= maxEventCallbacks)
      throw new GuestfsError('ENOSPC', `too many event callbacks: at most ${maxEventCallbacks} at a time`);
    const taken = new Set(this.#listeners.map((listener) => listener.eventHandle));
    let eventHandle = 0;
    while (taken.has(eventHandle)) eventHandle += 1;
    const listener: Listener = { eventHandle, mask, callback, ended, removed: false };
    this.#replace([...this.#listeners, listener]);
    return listener;
  }

  /** Gives a registration another callback, at the same place in the order. */
  change(registration: Registration, callback: (event: GuestfsEvent) => unknown): void {
    for (const listener of this.#listeners) if (listener === registration) listener.callback = callback;
  }

  /** Removes a callback by its registration or number. It is not called from then on. */
  remove(which: Registration | number): void {
    this.#replace(
      this.#listeners.filter((listener) => {
        if (listener !== which && listener.eventHandle !== which) return true;
        listener.removed = true;
        return false;
      }),
    );
  }

  /** Removes all callbacks, and calls those that wait for the end. */
  clear(): void {
    const gone = this.#listeners;
    this.#replace([]);
    for (const listener of gone) {
      listener.removed = true;
      listener.ended?.();
    }
  }

  #replace(listeners: readonly Listener[]): void {
    this.#listeners = listeners;
    this.#mask = listeners.reduce((mask, listener) => mask | listener.mask, 0);
  }

  /** Whether anybody listens to an event. */
  listens(event: EventName): boolean {
    return (this.#mask & events[event].mask) !== 0;
  }

  /** Sends an event without a value. */
  emit(event: 'close' | 'subprocessQuit' | 'launchDone'): void {
    if (this.listens(event)) this.#dispatch({ event, mask: events[event].mask });
  }

  emitProgress(progress: Progress): void {
    if (this.listens('progress')) this.#dispatch({ event: 'progress', mask: events.progress.mask, progress });
  }

  /** Sends a text, or writes it to the output if no callback gets it. */
  emitMessage(event: MessageEvent, message: string, partial = false): void {
    const body = { event, mask: events[event].mask, message, ...(partial ? { partial } : {}) };
    if (this.listens(event)) this.#dispatch(body as GuestfsEvent);
    else this.#write(event, message);
  }

  /** Runs a function of the caller. Its error, thrown now or later, becomes a warning. */
  guard(what: string, call: () => unknown): void {
    this.#guard(call, (thrown) => this.emitMessage('warning', failureOf(what, thrown)));
  }

  #guard(call: () => unknown, failed: (thrown: unknown) => void): void {
    try {
      const returned = call();
      // Any thenable may fail later, so promises of other libraries count too.
      if (typeof (returned as { then?: unknown } | null | undefined)?.then === 'function')
        Promise.resolve(returned).catch(failed);
    } catch (thrown) {
      failed(thrown);
    }
  }

  #dispatch(event: GuestfsEvent): void {
    const what = `callback for ${event.event}`;
    const failed = (thrown: unknown): void => {
      const message = failureOf(what, thrown);
      if (event.event === 'warning') this.#write('warning', message);
      else this.emitMessage('warning', message);
    };
    for (const listener of this.#listeners) {
      if (listener.removed || (listener.mask & event.mask) === 0) continue;
      this.#guard(() => listener.callback(event), failed);
    }
  }

  #write(event: MessageEvent, message: string): void {
    const { output: stream, isVerbose, identifier } = this.#options;
    const { output: how }: EventTable = events[event];
    if (stream === null || how === undefined || (how.verbose === true && !isVerbose())) return;
    const name = how.identifier === true && identifier() !== '' ? `${escapeControls(identifier())}: ` : '';
    const text = how.line === true ? `${escapeControls(message)}\n` : escapeInLines(message);
    stream.write(`${how.prefix}${name}${text}`);
  }
}

/** The lines of a log with their ends. A carriage return that ends no line would overwrite it, and is escaped. */
function escapeInLines(text: string): string {
  return text.replace(/[^\r\n]+|\r(?!\n|$)/g, escapeControls);
}

function failureOf(what: string, thrown: unknown): string {
  return `the ${what} failed: ${thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : describe(thrown)}`;
}

/** Text for a thrown value of any kind, even one whose conversion to text throws. */
function describe(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return typeof thrown;
  }
}

/** The value that listeners of `on` get. */
export function eventValue<E extends EventName>(event: GuestfsEvent<E>): EventValue<E>;
export function eventValue(event: GuestfsEvent): unknown {
  if ('progress' in event) return event.progress;
  if ('message' in event) return event.message;
  return undefined;
}

/** Whether a name is an event's. */
export const isEventName = (name: unknown): name is EventName =>
  (eventNames as readonly unknown[]).includes(name);
