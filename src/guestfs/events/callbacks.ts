/**
 * The five single-slot callbacks of a handle, with the C library's order of arguments: the handle, the opaque value,
 * then the event's values.
 */
import { type EventName, events } from '../../api/index.js';
import type { EventHub, GuestfsEvent, Registration } from './events.js';

export type CloseCallback<G, Opaque> = (g: G, opaque: Opaque) => unknown;
export type SubprocessQuitCallback<G, Opaque> = (g: G, opaque: Opaque) => unknown;
export type LaunchDoneCallback<G, Opaque> = (g: G, opaque: Opaque) => unknown;
export type LogMessageCallback<G, Opaque> = (g: G, opaque: Opaque, message: string) => unknown;
export type ProgressCallback<G, Opaque> = (
  g: G,
  opaque: Opaque,
  procNr: number,
  serial: number,
  position: number,
  total: number,
) => unknown;

/** One slot: setting it replaces the callback, null removes it. */
class Slot<Callback> {
  readonly #hub: EventHub;
  readonly #mask: number;
  readonly #invoke: (callback: Callback, opaque: unknown, event: GuestfsEvent) => unknown;
  #registration: Registration | undefined;

  constructor(
    hub: EventHub,
    event: EventName,
    invoke: (callback: Callback, opaque: unknown, event: GuestfsEvent) => unknown,
  ) {
    this.#hub = hub;
    this.#mask = events[event].mask;
    this.#invoke = invoke;
  }

  set(callback: Callback | null, opaque: unknown): void {
    if (callback === null) {
      if (this.#registration !== undefined) this.#hub.remove(this.#registration);
      this.#registration = undefined;
      return;
    }
    const call = (event: GuestfsEvent): unknown => this.#invoke(callback, opaque, event);
    if (this.#registration === undefined) this.#registration = this.#hub.add(this.#mask, call);
    else this.#hub.change(this.#registration, call);
  }
}

/** The slots of a handle `g`. */
export class CallbackSlots<G> {
  readonly close: Slot<CloseCallback<G, never>>;
  readonly subprocessQuit: Slot<SubprocessQuitCallback<G, never>>;
  readonly launchDone: Slot<LaunchDoneCallback<G, never>>;
  /** Messages of the backend itself, which are the `appliance` event. */
  readonly logMessage: Slot<LogMessageCallback<G, never>>;
  readonly progress: Slot<ProgressCallback<G, never>>;

  constructor(g: G, hub: EventHub) {
    const plain = (callback: CloseCallback<G, never>, opaque: unknown): unknown =>
      callback(g, opaque as never);
    this.close = new Slot(hub, 'close', plain);
    this.subprocessQuit = new Slot(hub, 'subprocessQuit', plain);
    this.launchDone = new Slot(hub, 'launchDone', plain);
    this.logMessage = new Slot<LogMessageCallback<G, never>>(hub, 'appliance', (callback, opaque, event) =>
      'message' in event ? callback(g, opaque as never, event.message) : undefined,
    );
    this.progress = new Slot<ProgressCallback<G, never>>(hub, 'progress', (callback, opaque, event) => {
      if (!('progress' in event)) return undefined;
      const { procNr, serial, position, total } = event.progress;
      return callback(g, opaque as never, procNr, serial, position, total);
    });
  }
}
