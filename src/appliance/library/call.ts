/** One call of a composite action, with the types that the tables of `api/` give to every procedure. */
import type {
  ActionArguments,
  ActionName,
  ActionOptions,
  ActionResult,
  CallControl,
  FileEnds,
  FileSink,
  FileSource,
  HandlerArguments,
  Structs,
} from '../../api/index.js';
import { GuestfsError, plainError, restoreError } from '../../base/index.js';
import type { Daemon, LibraryAction } from './daemon.js';

/** The daemon's own procedures that only this folder calls: their arguments, and what they give. */
interface InternalProcedures {
  internal_write: { args: [path: string, content: Uint8Array]; result: undefined };
  internal_write_append: { args: [path: string, content: Uint8Array]; result: undefined };
  internal_lstatnslist: { args: [directory: string, names: readonly string[]]; result: Structs['statns'][] };
  internal_lxattrlist: { args: [directory: string, names: readonly string[]]; result: Structs['xattr'][] };
  internal_readlinklist: { args: [directory: string, names: readonly string[]]; result: string[] };
  internal_readdir: { args: [directory: string, records: FileSink]; result: undefined };
  internal_filesystem_walk: { args: [device: string, records: FileSink]; result: undefined };
  internal_find_inode: { args: [device: string, inode: number, records: FileSink]; result: undefined };
  internal_journal_get: { args: [fields: FileSink]; result: undefined };
  internal_yara_scan: { args: [path: string, records: FileSink]; result: undefined };
  internal_list_rpm_applications: { args: []; result: Structs['application2'][] };
  internal_parse_mountable: { args: [mountable: string]; result: Structs['internal_mountable'] };
}

type InternalName = keyof InternalProcedures;

/** What stands for files: the caller's own path or stream. */
export interface HostFiles extends FileEnds {
  readonly in: FileSource;
  readonly out: FileSink;
}

/** An action as this folder writes it down. */
export type Composite<N extends ActionName> = (
  call: Call,
  ...args: [...required: HandlerArguments<N, HostFiles>, options: ActionOptions<N>]
) => Promise<ActionResult<N>>;

export type Composites<N extends ActionName> = { readonly [K in N]: Composite<K> };

export class Call {
  readonly #daemon: Daemon;
  readonly #control: CallControl;

  constructor(daemon: Daemon, control: CallControl) {
    this.#daemon = daemon;
    this.#control = control;
  }

  /** A procedure that is a public action too. */
  daemon<N extends ActionName>(
    procedure: N,
    args: ActionArguments<N>,
    options: ActionOptions<N> = {} as ActionOptions<N>,
  ): Promise<ActionResult<N>> {
    return this.#call(procedure, args as readonly unknown[], options) as Promise<ActionResult<N>>;
  }

  /** A procedure that is none. */
  internal<N extends InternalName>(
    procedure: N,
    args: InternalProcedures[N]['args'],
  ): Promise<InternalProcedures[N]['result']> {
    return this.#call(procedure, args, {}) as Promise<InternalProcedures[N]['result']>;
  }

  async #call(
    procedure: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
  ): Promise<unknown> {
    this.checkpoint();
    return await this.#daemon.call(procedure, args, options, this.#control);
  }

  /** Throws ECANCELED once the call is not wanted any more: between two procedures nobody else would. */
  checkpoint(): void {
    const { signal } = this.#control;
    if (signal?.aborted === true)
      throw new GuestfsError('ECANCELED', 'the call was cancelled', { cause: signal.reason });
  }

  /** Whether what the guest says is believed. */
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

/** A composite in the form that the backend calls. Its failures are its own, whichever procedure failed. */
export function libraryAction<N extends ActionName>(name: string, composite: Composite<N>): LibraryAction {
  return async (daemon, args, options, control) => {
    const call = new Call(daemon, control);
    const run = composite as (call: Call, ...rest: readonly unknown[]) => Promise<unknown>;
    try {
      return await run(call, ...args, options);
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError) || thrown.action === name) throw thrown;
      const own = restoreError(plainError(thrown), name);
      own.cause = thrown;
      throw own;
    }
  };
}
