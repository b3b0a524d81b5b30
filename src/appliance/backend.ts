/** A launched appliance as the handle sees it: its machine, the connection to its daemon, and the actions made of both. */
import type { Backend, BackendConfig, BackendEvents, CallControl, ShutdownOptions } from '../api/index.js';
import { asFailureOf, asGuestfsError, GuestfsError } from '../base/index.js';
import type { Booted } from './boot.js';
import type { Connection } from './connection.js';
import { type Daemon, libraryActions } from './library/index.js';
import type { Machine } from './machine.js';

/** How long the end of the process may lag behind the loss of its connection, in milliseconds. */
const lagInMs = 1000;

export class ApplianceBackend implements Backend {
  readonly #machine: Machine;
  readonly #connection: Connection;
  readonly #autosync: boolean;
  readonly #daemon: Daemon;
  /** Ends the running call. */
  #running: AbortController | undefined;
  /** The daemon cannot be reached any more. */
  #lost = false;

  constructor({ machine, connection, listeners }: Booted, config: BackendConfig, events: BackendEvents) {
    this.#machine = machine;
    this.#connection = connection;
    this.#autosync = config.autosync;
    this.#daemon = {
      tmpdir: config.tmpdir,
      call: (procedure, args, options = {}, control = { wantsProgress: false }) =>
        connection.call(procedure, args, options, control),
      warn: (message) => events.log('warning', message),
    };
    listeners.progress = (position, total) => events.progress(position, total);
    // A daemon that is gone, or out of step, is of no use: qemu, which may not have noticed, goes too.
    listeners.broken = () => {
      this.#lost = true;
      const timer = setTimeout(() => machine.kill(), lagInMs);
      void machine.ended.then(() => clearTimeout(timer));
    };
    void machine.ended.then(() => {
      this.#lost = true;
      connection.close();
      events.quit();
    });
    machine.keepsAlive = false;
  }

  get pid(): number {
    return this.#machine.pid;
  }

  async call(
    action: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
    control: CallControl,
  ): Promise<unknown> {
    const abort = new AbortController();
    const cancel = (): void => abort.abort(control.signal?.reason);
    control.signal?.addEventListener('abort', cancel, { once: true });
    if (control.signal?.aborted === true) cancel();
    this.#running = abort;
    const own = { wantsProgress: control.wantsProgress, signal: abort.signal };
    try {
      const composite = libraryActions.get(action);
      if (composite !== undefined) return await composite(this.#daemon, args, options, own);
      return await this.#connection.call(action, args, options, own);
    } catch (thrown) {
      throw await this.#explain(action, asFailureOf(action, thrown));
    } finally {
      control.signal?.removeEventListener('abort', cancel);
      if (this.#running === abort) this.#running = undefined;
    }
  }

  /** A call that failed because the machine ended: says how that ended. */
  async #explain(action: string, error: GuestfsError): Promise<GuestfsError> {
    if (error.code !== 'EIO' || !this.#lost) return error;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), lagInMs);
    });
    const end = await Promise.race([this.#machine.ended, late]);
    clearTimeout(timer);
    if (end === undefined || end.expected) return error;
    const how = end.signal === null ? `ended with status ${end.exitCode}` : `was ended by ${end.signal}`;
    const line = this.#machine.messages.lastLine ?? this.#machine.console.lastLine;
    const last = line === undefined ? '' : `; the last that was heard of it: ${line.trim()}`;
    return new GuestfsError('EIO', `the appliance's qemu ${how} before the call was done${last}`, {
      action,
      cause: error,
    });
  }

  cancel(): void {
    this.#running?.abort();
  }

  async shutdown({ autosync = this.#autosync }: ShutdownOptions = {}): Promise<void> {
    if (!this.#machine.isRunning) return;
    let failure: GuestfsError | undefined;
    this.#machine.keepsAlive = true;
    if (autosync) {
      try {
        await this.#connection.call('internal_autosync', [], {}, { wantsProgress: false });
      } catch (thrown) {
        failure = asGuestfsError(thrown);
      }
    }
    this.#connection.close();
    await this.#machine.quit();
    if (failure !== undefined) throw failure;
  }

  kill(): void {
    this.#machine.kill();
  }
}
