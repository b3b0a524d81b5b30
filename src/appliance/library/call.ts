/** One call of a composite action, with types for every procedure from the tables of `api/`. */
import type {
  ActionArguments,
  ActionName,
  ActionOptions,
  ActionResult,
  ActionTables,
  FileEnds,
  FileSink,
  FileSource,
  HandlerArguments,
  InternalArguments,
  InternalName,
  InternalResult,
} from '../../api/index.js';
import { AbortError, GuestfsError } from '../../base/index.js';
import type { Daemon, LibraryAction, LibraryControl } from './daemon.js';

/** File arguments are the caller's own path or stream. */
interface HostFiles extends FileEnds {
  readonly in: FileSource;
  readonly out: FileSink;
}

/** An action as this folder defines it. */
type Composite<N extends ActionName> = (
  call: LibraryCall,
  ...args: [...required: HandlerArguments<N, HostFiles>, options: ActionOptions<N>]
) => Promise<ActionResult<N>>;

export type Composites<N extends ActionName> = { readonly [K in N]: Composite<K> };

/** Actions that the daemon has a procedure for; the others are composites, or the handle's own. */
export type ProcedureName = {
  [N in ActionName]: ActionTables[N] extends { readonly proc: number } ? N : never;
}[ActionName];

/** Internal calls of the handle's own, by their names. */
export type OwnComposites = {
  readonly [N in InternalName]?: (
    call: LibraryCall,
    ...args: InternalArguments<N>
  ) => Promise<InternalResult<N>>;
};

export class LibraryCall {
  readonly #daemon: Daemon;
  readonly #control: LibraryControl;

  constructor(daemon: Daemon, control: LibraryControl) {
    this.#daemon = daemon;
    this.#control = control;
  }

  /** A procedure that is a public action too. `received` gets the sizes of the pieces of a file that it writes. */
  daemon<N extends ProcedureName>(
    procedure: N,
    args: ActionArguments<N>,
    options: ActionOptions<N> = {} as ActionOptions<N>,
    received?: (bytes: number) => void,
  ): Promise<ActionResult<N>> {
    return this.#call(procedure, args as readonly unknown[], options, received) as Promise<ActionResult<N>>;
  }

  /** A procedure that is none. */
  internal<N extends InternalName>(procedure: N, args: InternalArguments<N>): Promise<InternalResult<N>> {
    return this.#call(procedure, args as readonly unknown[], {}) as Promise<InternalResult<N>>;
  }

  async #call(
    procedure: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
    received?: (bytes: number) => void,
  ): Promise<unknown> {
    this.checkpoint();
    const { signal } = this.#control;
    return await this.#daemon.call(procedure, args, options, { signal, received });
  }

  /** Takes the call's progress; undefined where nobody listens. */
  get progress(): LibraryControl['progress'] {
    return this.#control.progress;
  }

  /** Throws ECANCELED if the call was cancelled: no procedure runs at this moment that could notice. */
  checkpoint(): void {
    const { signal } = this.#control;
    if (signal?.aborted === true) throw new AbortError(undefined, { cause: signal.reason });
  }

  /** Whether the guest's answers are trusted. */
  get isTrusted(): boolean {
    return this.#daemon.policy === 'trusted';
  }

  warn(message: string): void {
    this.#daemon.warn?.(message);
  }
}

/** Whether `thrown` is the failure with this code. */
export function failedWith(thrown: unknown, ...codes: readonly GuestfsError['code'][]): boolean {
  return thrown instanceof GuestfsError && codes.includes(thrown.code);
}

/** A composite in the form that the backend calls. Its errors carry its own name, whichever procedure failed. */
export function libraryAction(
  composite: (call: LibraryCall, ...given: never[]) => Promise<unknown>,
): LibraryAction {
  return async (daemon, args, options, control) => {
    const call = new LibraryCall(daemon, control);
    // safe: a composite stands under its name
    const run = composite as (call: LibraryCall, ...given: readonly unknown[]) => Promise<unknown>;
    return await run(call, ...args, options);
  };
}
