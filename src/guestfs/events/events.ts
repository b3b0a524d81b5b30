/**
 * The events of a handle: who hears of what, in which order, and where messages go that nobody hears.
 *
 * Callbacks get each text as it is, control characters and all: a program may compare it or show it in its own way. What
 * the handle itself writes is escaped, so that no name of a guest's forges a line or drives a terminal.
 *
 * A callback that throws never disturbs the action that it hears of. What it threw becomes a `warning`; what a
 * callback for warnings throws goes to the default output, so that there is no circle.
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
    /** Of a warning: whether it tells of what the answer of the running call lacks, as it could not be read. */
    readonly partial?: boolean;
  };
  array: { readonly progress: Progress };
}

/** An event as callbacks get it: `progress` has a `progress`, those with a text have a `message`. */
export type GuestfsEvent<E extends EventName = EventName> = {
  [N in E]: { readonly event: N; readonly mask: number } & Bodies[(typeof events)[N]['payload']];
}[E];

/** What a listener of `on` gets first: the progress, the message, or nothing. */
export type EventValue<E extends EventName> = {
  none: undefined;
  message: string;
  array: Progress;
}[(typeof events)[E]['payload']];

/** The events with a text, which is raw: it may hold whatever a guest put into a name. */
export type MessageEvent = {
  [E in EventName]: (typeof events)[E]['payload'] extends 'message' ? E : never;
}[EventName];

/** One callback of a handle. */
export interface Registration {
  /** The number that `setEventCallback` gives. */
  readonly eventHandle: number;
  readonly mask: number;
}

interface Listener extends Registration {
  callback: (event: GuestfsEvent) => unknown;
  /** Called when the handle ends, and no event will come any more. */
  readonly ended: (() => void) | undefined;
  removed: boolean;
}

/** What is written to when nobody hears a message: standard error, unless the handle was made with another. */
export interface TextOutput {
  write(text: string): unknown;
}

export interface HubOptions {
  /** Where messages go that nobody hears; null: nowhere. */
  readonly output: TextOutput | null;
  readonly isVerbose: () => boolean;
  readonly identifier: () => string;
}

/** The bits of some events. Throws GuestfsError (EINVAL) for none, for unknown bits and for unknown names. */
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
  /** In the order of registration. Replaced, never changed, so that a walk over it is undisturbed. */
  #listeners: readonly Listener[] = [];
  /** All events that somebody listens to. */
  #mask = 0;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** Adds a callback. Throws GuestfsError (ENOSPC) when there are as many as a handle keeps. */
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

  /** Gives a registration another callback, in the same place of the order. */
  change(registration: Registration, callback: (event: GuestfsEvent) => unknown): void {
    for (const listener of this.#listeners) if (listener === registration) listener.callback = callback;
  }

  /** Removes a callback, by its registration or its number; from then on it is not called. */
  remove(which: Registration | number): void {
    this.#replace(
      this.#listeners.filter((listener) => {
        if (listener !== which && listener.eventHandle !== which) return true;
        listener.removed = true;
        return false;
      }),
    );
  }

  /** Removes all callbacks, and tells those that wait for an end. */
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

  /** Tells of an event that brings nothing. */
  emit(event: 'close' | 'subprocessQuit' | 'launchDone'): void {
    if (this.listens(event)) this.#dispatch({ event, mask: events[event].mask });
  }

  emitProgress(progress: Progress): void {
    if (this.listens('progress')) this.#dispatch({ event: 'progress', mask: events.progress.mask, progress });
  }

  /** Tells of a text, or writes it where texts go that nobody hears. */
  emitMessage(event: MessageEvent, message: string, partial = false): void {
    const body = { event, mask: events[event].mask, message, ...(partial ? { partial } : {}) };
    if (this.listens(event)) this.#dispatch(body as GuestfsEvent);
    else this.#write(event, message);
  }

  /** Runs something of the caller's; what it throws, now or later, becomes a warning. */
  guard(what: string, call: () => unknown): void {
    this.#guard(call, (thrown) => this.emitMessage('warning', failureOf(what, thrown)));
  }

  #guard(call: () => unknown, failed: (thrown: unknown) => void): void {
    try {
      const returned = call();
      // Not only promises of our own kind: whatever can be waited for may fail later.
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

/** The lines of a log with their ends; a return that ends no line would write over it, and is escaped. */
function escapeInLines(text: string): string {
  return text.replace(/[^\r\n]+|\r(?!\n|$)/g, escapeControls);
}

function failureOf(what: string, thrown: unknown): string {
  return `the ${what} failed: ${thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : describe(thrown)}`;
}

/** Text for a thrown value of any kind; even one that refuses to become text. */
function describe(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return typeof thrown;
  }
}

/** The value that `on` hands to its listeners. */
export function eventValue<E extends EventName>(event: GuestfsEvent<E>): EventValue<E>;
export function eventValue(event: GuestfsEvent): unknown {
  if ('progress' in event) return event.progress;
  if ('message' in event) return event.message;
  return undefined;
}

/** Whether a name is an event's. */
export const isEventName = (name: unknown): name is EventName =>
  (eventNames as readonly unknown[]).includes(name);
