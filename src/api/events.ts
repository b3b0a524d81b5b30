/** The events of a handle: their names, the bits of their masks, and their values. */

/** What comes with an event. */
interface EventPayloads {
  /** Nothing. */
  none: undefined;
  /** A piece of text. */
  message: string;
  /** `[procNr, serial, position, total]`. */
  array: readonly [procNr: number, serial: number, position: number, total: number];
}

export interface EventTable {
  /** The libguestfs name. */
  readonly cName: string;
  readonly mask: number;
  readonly payload: keyof EventPayloads;
  /** The form of a message on stderr if the event has no callback. */
  readonly output?: {
    /** Only when the handle is verbose. */
    readonly verbose?: true;
    readonly prefix: string;
    /** Puts the handle's identifier after the prefix, if it has one. */
    readonly identifier?: true;
    /** The message is one line, and needs its end. */
    readonly line?: true;
  };
}

export const events = {
  /** The handle is being closed; its private data is still there. */
  close: { cName: 'close', mask: 0x001, payload: 'none' },
  /** The backend ended, requested or not; the handle is back in `config`. */
  subprocessQuit: { cName: 'subprocess_quit', mask: 0x002, payload: 'none' },
  /** The handle became ready. */
  launchDone: { cName: 'launch_done', mask: 0x004, payload: 'none' },
  /** A long action has come some way. */
  progress: { cName: 'progress', mask: 0x008, payload: 'array' },
  /** A message of the backend: the engine's log, or the console of the appliance. */
  appliance: { cName: 'appliance', mask: 0x010, payload: 'message', output: { verbose: true, prefix: '' } },
  /** A message of the library itself. */
  library: {
    cName: 'library',
    mask: 0x020,
    payload: 'message',
    output: { verbose: true, prefix: 'libguestfs: ', line: true },
  },
  /** A call with its arguments, or its result; only while tracing is on. */
  trace: {
    cName: 'trace',
    mask: 0x040,
    payload: 'message',
    output: { prefix: 'libguestfs: trace: ', identifier: true, line: true },
  },
  /** The name of an action that was called. */
  enter: { cName: 'enter', mask: 0x080, payload: 'message' },
  /** libvirt asks for credentials. */
  libvirtAuth: { cName: 'libvirt_auth', mask: 0x100, payload: 'message' },
  /** Something is amiss, though nothing failed. */
  warning: {
    cName: 'warning',
    mask: 0x200,
    payload: 'message',
    output: { prefix: 'libguestfs: warning: ', line: true },
  },
} as const satisfies Readonly<Record<string, EventTable>>;

export type EventName = keyof typeof events;

export const eventNames = Object.freeze(Object.keys(events)) as readonly EventName[];

/** The mask of all events. */
export const allEvents = 0x3ff;

/** The most event callbacks that a handle keeps at once. */
export const maxEventCallbacks = 1000;

/** The libguestfs names of the events in a mask, joined by commas; the empty string for an empty mask. */
export function eventToString(mask: number): string {
  return Object.values(events)
    .filter((event) => (mask & event.mask) !== 0)
    .map((event) => event.cName)
    .join(',');
}
