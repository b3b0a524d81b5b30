/**
 * The tables as TypeScript types: the arguments, options and results of every action, the methods of the handle, and
 * the interfaces of handlers in a backend. Nothing here exists at run time.
 */
import type {
  ArgumentType,
  ArgumentTypes,
  OptionType,
  OptionTypes,
  PlainResultTypes,
  TextTypes,
} from './action.js';
import type { ActionName, ActionTables } from './actions.js';
import type { Progress } from './backend.js';
import type { CamelCase, StructName, Structs } from './structs.js';
import type { InternalName, internal, ShapedResult } from './topics/internal.js';

/** The controls that every asynchronous method takes together with its optional arguments. */
export interface CallControls {
  /** Cancels the call: it rejects soon after, and the handle stays usable. */
  signal?: AbortSignal | undefined;
  /** Hears the progress of this call alone. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** More controls, for methods that write to a file or stream of the host. */
export interface SinkControls extends CallControls {
  /**
   * Whether a stream is ended with the call, as in `pipe` and `pipeTo`: true by default, but never for
   * `process.stdout` and `process.stderr`. The call resolves when the stream has taken everything; a failed call
   * destroys the stream. False leaves the stream open in both cases, for the next call. Paths are files that the call
   * opens and closes.
   */
  end?: boolean | undefined;
}

type Table<N extends ActionName> = ActionTables[N];

/** The types of the required arguments, in order. */
export type ActionArguments<N extends ActionName> = CallerTypes<Table<N>['args']>;

type CallerTypes<Args> = {
  -readonly [I in keyof Args]: Args[I] extends { readonly type: infer T extends ArgumentType }
    ? ArgumentTypes[T]
    : never;
};

/** The optional arguments, by their libguestfs names. */
export type ActionOptions<N extends ActionName> =
  Table<N> extends { readonly options: infer Options }
    ? {
        -readonly [O in keyof Options]?: Options[O] extends { readonly type: infer T extends OptionType }
          ? OptionTypes[T] | undefined
          : never;
      }
    : // biome-ignore lint/complexity/noBannedTypes: an action with no options adds no keys
      {};

type ResultOf<R> = R extends { readonly type: infer T extends keyof PlainResultTypes }
  ? PlainResultTypes[T]
  : R extends { readonly type: 'string'; readonly of: infer M extends keyof TextTypes }
    ? TextTypes[M]
    : R extends { readonly type: 'stringList'; readonly of: infer M extends keyof TextTypes }
      ? TextTypes[M][]
      : R extends {
            readonly type: 'hashtable';
            readonly keyOf: infer K extends keyof TextTypes;
            readonly valueOf: infer V extends keyof TextTypes;
          }
        ? Map<TextTypes[K], TextTypes[V]>
        : R extends { readonly type: 'struct'; readonly struct: infer S extends StructName }
          ? Structs[S]
          : R extends { readonly type: 'structList'; readonly struct: infer S extends StructName }
            ? Structs[S][]
            : never;

/** What the action gives back. */
export type ActionResult<N extends ActionName> = ResultOf<Table<N>['result']>;

/** The internal calls that the tables alone answer. */
export type InternalsByTable = {
  [N in InternalName]: (typeof internal)[N] extends { readonly by: 'table' } ? N : never;
}[InternalName];

/** The arguments of an internal call, in order. */
export type InternalArguments<N extends InternalName> = AsPaths<CallerTypes<(typeof internal)[N]['args']>>;

/** Arguments as a backend gets them, whose URLs are paths. */
type AsPaths<T extends readonly unknown[]> = { [I in keyof T]: Exclude<T[I], URL> };

/** What an internal call gives back. */
export type InternalResult<N extends InternalName> =
  (typeof internal)[N]['result'] extends ShapedResult<infer Shape>
    ? Shape
    : ResultOf<(typeof internal)[N]['result']>;

/** The handle's method for an action: `part_list` → `partList`, `mke2fs_J` → `mke2fsJ`. */
export type MethodName<N extends ActionName = ActionName> = CamelCase<N>;

/** The second name of a method, `mkfsOpts` for `mkfs`: for actions whose shell command has such an alias. */
export type OptsName<N extends ActionName = ActionName> = N extends ActionName
  ? Table<N> extends { readonly aliases: readonly (infer Alias)[] }
    ? Extract<Alias, `${string}-opts`> extends never
      ? never
      : `${CamelCase<N>}Opts`
    : never
  : never;

/** The actions that answer at once: settings, getters, drives. Their methods return no promise. */
export type SyncActionName = {
  [N in ActionName]: Table<N> extends { readonly nonBlocking: true } ? N : never;
}[ActionName];

/** The actions whose methods give a promise. */
export type AsyncActionName = Exclude<ActionName, SyncActionName>;

/** The asynchronous actions that a given party does: see `Action.by`. */
export type ActionsBy<Doer extends 'handle' | 'table' | 'appliance'> = {
  [N in ActionName]: Table<N> extends { readonly by: Doer } ? N : never;
}[ActionName];

type SyncMethod<N extends ActionName> =
  Table<N> extends { readonly options: unknown }
    ? (...args: [...required: ActionArguments<N>, options?: ActionOptions<N>]) => ActionResult<N>
    : (...args: ActionArguments<N>) => ActionResult<N>;

/** The controls of an asynchronous action. */
type ControlsOf<N extends ActionName> = 'fileOut' extends Table<N>['args'][number]['type']
  ? SinkControls
  : CallControls;

type AsyncMethod<N extends ActionName> = (
  ...args: [...required: ActionArguments<N>, options?: ActionOptions<N> & ControlsOf<N>]
) => Promise<ActionResult<N>>;

/** The method of one action. */
export type ActionMethod<N extends ActionName> = N extends SyncActionName ? SyncMethod<N> : AsyncMethod<N>;

/** The backend's objects for the caller's `fileIn` and `fileOut` arguments. */
export interface FileEnds {
  readonly in: unknown;
  readonly out: unknown;
}

/** The arguments that a backend gets in another form: bytes for a buffer, a bigint for bits, an object for a file. */
interface ArrivingTypes<Ends extends FileEnds> {
  bufferIn: Uint8Array;
  bits64: bigint;
  hostPath: string;
  optHostPath: string | null;
  fileIn: Ends['in'];
  fileOut: Ends['out'];
}

type Arriving<Args, Ends extends FileEnds> = {
  -readonly [I in keyof Args]: Args[I] extends { readonly type: infer T extends ArgumentType }
    ? T extends keyof ArrivingTypes<Ends>
      ? ArrivingTypes<Ends>[T]
      : ArgumentTypes[T]
    : never;
};

/** The required arguments of an action as a backend gets them, in order. */
export type HandlerArguments<N extends ActionName, Ends extends FileEnds> = Arriving<Table<N>['args'], Ends>;

/** The same of an internal call. */
export type InternalHandlerArguments<N extends InternalName, Ends extends FileEnds> = Arriving<
  (typeof internal)[N]['args'],
  Ends
>;

/** The function for an action in a backend: required arguments in order, then the object of optional ones. */
export type Handler<N extends ActionName, Call, Ends extends FileEnds> = (
  call: Call,
  ...args: [...required: HandlerArguments<N, Ends>, options: ActionOptions<N>]
) => ActionResult<N>;

/** A handler for each of some actions, by their libguestfs names. */
export type Handlers<N extends ActionName, Call, Ends extends FileEnds> = {
  readonly [K in N]: Handler<K, Call, Ends>;
};
