/**
 * The vocabulary for describing an action: the meaning of its arguments and its result.
 *
 * An action table (`src/api/topics/<topic>.ts`) is pure data in this vocabulary. The types of the handle's methods,
 * the shell's commands and help, the wire codec and the reference pages are all derived from it.
 */

/** Marks a string with its meaning. Any plain string is still accepted. */
type Meaning<Text, Name extends string> = Text & { readonly __meaning?: Name };

/** A block device or partition: `/dev/sda`, `/dev/sda1`, `/dev/VG/LV`. */
export type Device = Meaning<string, 'device'>;
/** An absolute path inside the guest, below its mounted filesystems. */
export type Pathname = Meaning<string, 'pathname'>;
/** A device, or a subvolume in the form `btrfsvol:/dev/sda1/subvol`. */
export type Mountable = Meaning<string, 'mountable' | 'device'>;
/** A device, or an absolute path inside the guest. Exported for the compiler. */
export type DeviceOrPathname = Meaning<string, 'device' | 'pathname'>;
/** A mountable, or an absolute path inside the guest. Exported for the compiler. */
export type MountableOrPathname = Meaning<string, 'mountable' | 'device' | 'pathname'>;
/** A passphrase or other secret; never shown in traces. */
export type Key = Meaning<string, 'key'>;
/** A GUID in the form `01234567-89ab-cdef-0123-456789abcdef`, any case. */
export type Guid = Meaning<string, 'guid'>;
/** The path of a file on the host. */
export type HostPath = Meaning<string, 'hostPath'>;

/**
 * The source of a `fileIn` argument's bytes: a host path, or a stream of chunks, which is closed if it is not read to
 * its end.
 */
export type FileSource = HostPath | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;
/**
 * The destination of a `fileOut` argument's bytes: a host path, or a stream that takes chunks. A stream is ended with
 * the call, and destroyed if the call fails; with `end: false` it stays open. See `SinkControls`.
 */
export type FileSink = HostPath | NodeJS.WritableStream | WritableStream<Uint8Array>;

/** The meaning of an argument, and the TypeScript type that a caller passes for it. */
export interface ArgumentTypes {
  string: string;
  optString: string | null;
  stringList: readonly string[];
  deviceList: readonly Device[];
  pathnameList: readonly Pathname[];
  /** Names within one directory: no slashes. */
  filenameList: readonly string[];
  device: Device;
  pathname: Pathname;
  mountable: Mountable;
  devOrPathname: DeviceOrPathname;
  mountableOrPathname: MountableOrPathname;
  guid: Guid;
  key: Key;
  int: number;
  int64: number;
  /** A 64-bit mask of bits, unsigned. */
  bits64: bigint | number;
  bool: boolean;
  bufferIn: Uint8Array | string;
  /** A `file:` URL arrives at a backend as a path. */
  hostPath: HostPath | URL;
  optHostPath: HostPath | URL | null;
  fileIn: FileSource | URL;
  fileOut: FileSink | URL;
  /** A pointer of the C library; has no meaning here and is refused. */
  pointer: never;
}
export type ArgumentType = keyof ArgumentTypes;

/** What a backend knows of a required argument. */
export interface Parameter<Name extends string = string, Type extends ArgumentType = ArgumentType> {
  readonly name: Name;
  readonly type: Type;
}

export interface Argument<Name extends string = string, Type extends ArgumentType = ArgumentType>
  extends Parameter<Name, Type> {
  /** A description in a phrase of Markdown that begins with a small letter and has no full stop at its end. */
  readonly text: string;
}

/** The kinds of optional arguments, and the TypeScript type a caller passes for each. */
export interface OptionTypes {
  bool: boolean;
  int: number;
  int64: number;
  string: string;
  stringList: readonly string[];
}
export type OptionType = keyof OptionTypes;

/** An optional argument; its name is its key in the table. */
export interface OptionalArgument<Type extends OptionType = OptionType> {
  readonly type: Type;
  /** As of a required argument. */
  readonly text: string;
}

/** The possible meanings of a result's strings, and the TypeScript type of each. */
export interface TextTypes {
  plain: string;
  device: Device;
  mountable: Mountable;
}
type TextMeaning = keyof TextTypes;

export type Result =
  | { readonly type: 'none' }
  | { readonly type: 'bool' }
  | { readonly type: 'int' }
  /** A 64-bit number; one beyond 2^53 is an ERANGE error. */
  | { readonly type: 'int64' }
  /** A 64-bit mask of bits, given as a bigint. */
  | { readonly type: 'bits64' }
  | { readonly type: 'string'; readonly of: TextMeaning }
  /** A string, or null where the library has none to give. */
  | { readonly type: 'optString' }
  | { readonly type: 'stringList'; readonly of: TextMeaning }
  | { readonly type: 'buffer' }
  | { readonly type: 'hashtable'; readonly keyOf: TextMeaning; readonly valueOf: TextMeaning }
  | { readonly type: 'struct'; readonly struct: string }
  | { readonly type: 'structList'; readonly struct: string };

/** The TypeScript types of results that depend only on their kind. */
export interface PlainResultTypes {
  // biome-ignore lint/suspicious/noConfusingVoidType: it stands as the result of a method
  none: void;
  bool: boolean;
  int: number;
  int64: number;
  bits64: bigint;
  optString: string | null;
  buffer: Uint8Array;
}

/** One action of the API. */
export interface Action {
  readonly args: readonly Argument[];
  /** Optional arguments in the order of their bits on the wire. */
  readonly options?: Readonly<Record<string, OptionalArgument>>;
  readonly result: Result;
  /** guestfsd's procedure number; absent for actions that the library does itself. */
  readonly proc?: number;
  /** The first libguestfs that had it. */
  readonly since?: string;
  /** The feature group that must be available. */
  readonly group?: string;
  /** Sends progress. */
  readonly progress?: true;
  /** Can be cancelled during its transfer (it has a fileIn or fileOut). */
  readonly cancellable?: true;
  /** Only for a handle in the state `config`. */
  readonly configOnly?: true;
  /**
   * Answers at once, without the backend: a setting or a getter of the handle. Such an action has neither `by` nor
   * `reads`.
   */
  readonly nonBlocking?: true;
  /**
   * Who does it, if not every backend does: the handle, for all backends; the embedded engine's client, from the
   * tables alone; or the appliance, because the embedded engine does not have it.
   */
  readonly by?: 'handle' | 'table' | 'appliance';
  /**
   * Changes nothing of the guest or of a drive, so it also works on read-only drives. Changes in memory (mounts,
   * devices, settings) and on the host do not count, nor do the effects of a program that it runs.
   */
  readonly reads?: true;
  /** The action that replaced it; `true` if there is none. */
  readonly deprecatedBy?: string | true;
  /** Other names the shell knows it by. */
  readonly aliases?: readonly string[];
  /** The shell takes any number of first arguments before the last, and calls the action once for each. */
  readonly repeats?: true;
  /** How the shell prints a number. */
  readonly shellOutput?: 'octal' | 'hexadecimal';
  /** `debug`: for debugging and tests. `state`: about the handle's state. Without it: public. */
  readonly visibility?: 'debug' | 'state' | 'noShell';
  /** A few words, beginning with a lower-case verb, no full stop. */
  readonly short: string;
  /** Its purpose, units and errors; one or more paragraphs of Markdown. */
  readonly help: string;
}

export const string = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'string', text }) as const;
export const optString = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'optString', text }) as const;
export const stringList = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'stringList', text }) as const;
export const deviceList = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'deviceList', text }) as const;
export const pathnameList = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'pathnameList', text }) as const;
export const filenameList = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'filenameList', text }) as const;
export const device = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'device', text }) as const;
export const pathname = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'pathname', text }) as const;
export const mountable = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'mountable', text }) as const;
export const devOrPathname = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'devOrPathname', text }) as const;
export const mountableOrPathname = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'mountableOrPathname', text }) as const;
export const guid = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'guid', text }) as const;
export const key = <const N extends string>(name: N, text: string) => ({ name, type: 'key', text }) as const;
export const int = <const N extends string>(name: N, text: string) => ({ name, type: 'int', text }) as const;
export const int64 = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'int64', text }) as const;
export const bits64 = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'bits64', text }) as const;
export const bool = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'bool', text }) as const;
export const bufferIn = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'bufferIn', text }) as const;
export const hostPath = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'hostPath', text }) as const;
export const optHostPath = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'optHostPath', text }) as const;
export const fileIn = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'fileIn', text }) as const;
export const fileOut = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'fileOut', text }) as const;
export const pointer = <const N extends string>(name: N, text: string) =>
  ({ name, type: 'pointer', text }) as const;

/** The kinds of optional arguments. */
export const optional = {
  bool: (text: string) => ({ type: 'bool', text }) as const,
  int: (text: string) => ({ type: 'int', text }) as const,
  int64: (text: string) => ({ type: 'int64', text }) as const,
  string: (text: string) => ({ type: 'string', text }) as const,
  stringList: (text: string) => ({ type: 'stringList', text }) as const,
} satisfies { readonly [T in OptionType]: (text: string) => OptionalArgument<T> };

/** The kinds of result, by the names the tables use. */
export const gives = {
  nothing: { type: 'none' },
  bool: { type: 'bool' },
  int: { type: 'int' },
  int64: { type: 'int64' },
  bits64: { type: 'bits64' },
  string: { type: 'string', of: 'plain' },
  device: { type: 'string', of: 'device' },
  optString: { type: 'optString' },
  strings: { type: 'stringList', of: 'plain' },
  devices: { type: 'stringList', of: 'device' },
  mountables: { type: 'stringList', of: 'mountable' },
  buffer: { type: 'buffer' },
  table: <const K extends TextMeaning, const V extends TextMeaning>(keys: K, values: V) =>
    ({ type: 'hashtable', keyOf: keys, valueOf: values }) as const,
  struct: <const S extends string>(struct: S) => ({ type: 'struct', struct }) as const,
  structs: <const S extends string>(struct: S) => ({ type: 'structList', struct }) as const,
} as const;

/** A topic: its actions by their libguestfs names. */
export interface Topic<Actions extends Readonly<Record<string, Action>> = Readonly<Record<string, Action>>> {
  readonly title: string;
  readonly actions: Actions;
}

/**
 * Declares a topic, keeping every literal of its actions. They are made when one of them is wanted: all together take
 * milliseconds, and a program wants a few.
 */
export function topic<const Actions extends Readonly<Record<string, Action>>>(
  title: string,
  make: () => Actions,
): Topic<Actions> {
  let actions: Actions | undefined;
  return {
    title,
    get actions() {
      actions ??= make();
      return actions;
    },
  };
}
