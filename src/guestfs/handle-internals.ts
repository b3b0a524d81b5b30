/** The inside of a handle, for the actions that the handle does itself. */
import type {
  ActionArguments,
  ActionName,
  ActionOptions,
  ActionResult,
  CallControls,
  FileEnds,
  FileSink,
  FileSource,
  HandlerArguments,
  Handlers,
  InternalArguments,
  InternalName,
  InternalResult,
} from '../api/index.js';
import type { DriveList } from './drives/drives.js';
import type { EventHub } from './events/events.js';
import type { Settings } from './settings.js';
import type { HandleState } from './state.js';

/** What a handle may call for itself. */
export type BackendCallName = ActionName | InternalName;
export type BackendCallArguments<N extends BackendCallName> = N extends InternalName
  ? InternalArguments<N>
  : N extends ActionName
    ? ActionArguments<N>
    : never;
export type BackendCallResult<N extends BackendCallName> = N extends InternalName
  ? InternalResult<N>
  : N extends ActionName
    ? ActionResult<N>
    : never;

export interface HandleInternals {
  readonly settings: Settings;
  readonly drives: DriveList;
  readonly hub: EventHub;
  readonly state: HandleState;
  /** The process of the running backend; undefined if there is none, or it has no process of its own. */
  readonly pid: number | undefined;
  /** The backend that does the calls at present; undefined before launch. */
  readonly backend: 'embedded' | 'direct' | undefined;

  launch(controls: CallControls): Promise<void>;
  /** Ends the backend in good order, after all earlier calls. */
  shutdown(): Promise<void>;
  /** Ends the backend now. */
  killSubprocess(): Promise<void>;
  /** Asks the running call to stop. */
  cancelRunning(): void;
  /** A call to the backend, in its turn: of an action of the table, without optional arguments, or an internal one. */
  backendCall<N extends BackendCallName>(
    name: N,
    args: BackendCallArguments<N>,
    controls: CallControls,
  ): Promise<BackendCallResult<N>>;
}

interface HandleFiles extends FileEnds {
  readonly in: FileSource;
  readonly out: FileSink;
}

/** Synchronous actions of the handle. */
export type SyncHandlers<N extends ActionName> = Handlers<N, HandleInternals, HandleFiles>;

/** Asynchronous actions of the handle. The call's controls come before its arguments. */
export type AsyncHandlers<N extends ActionName> = {
  readonly [K in N]: (
    handle: HandleInternals,
    controls: CallControls,
    ...args: [...required: HandlerArguments<K, HandleFiles>, options: ActionOptions<K>]
  ) => Promise<ActionResult<K>>;
};
