/**
 * A launched appliance as the handle sees it: its machine, the connection to its daemon, and the actions made of
 * both.
 */
import type { Backend, BackendConfig, BackendEvents, CallControl, ShutdownOptions } from '../api/index.js';
import { asGuestfsError, GuestfsError } from '../base/index.js';
import { inspectionKey } from '../formats/index.js';
import { type Daemon, libraryActions } from './library/index.js';
import { consoleTail } from './machine/boot-error.js';
import type { Booted } from './machine/boot-options.js';
import type { Machine, MachineEnd } from './machine/machine.js';
import type { Accelerator } from './machine/qemu.js';
import type { DaemonVersion } from './wire/compat.js';
import type { Connection } from './wire/connection.js';

/** How long the process may take to end after its connection is lost, in milliseconds. */
const lagInMs = 1000;

/** How long the last sync may take, in milliseconds. At most the appliance's memory has to be written. */
const syncPatienceInMs = 600_000;

/** The value of a promise; undefined if that takes longer. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What is known of a launched appliance. */
interface ApplianceFacts {
  readonly accelerator: Accelerator;
  readonly qemuVersion: string;
  readonly daemon: DaemonVersion;
}

/**
 * Whether anything that a guest writes outlives its machine. The caller's own qemu parameters may have added a drive.
 */
function keepsWrites({ drives, hvParams }: BackendConfig): boolean {
  return (
    hvParams.length > 0 ||
    drives.some(({ readonly, scratchSizeInBytes }) => !readonly && scratchSizeInBytes === undefined)
  );
}

export class ApplianceBackend implements Backend {
  readonly #machine: Machine;
  readonly #connection: Connection;
  readonly #autosync: boolean;
  /** Unwritten data is dropped if nothing of it would be kept, so the end need not wait. */
  readonly #keepsWrites: boolean;
  readonly #daemon: Daemon;
  readonly #progress: BackendEvents['progress'];
  /** What is known already of an inspection that the daemon has not made. */
  #inspection: BackendConfig['inspection'];
  /** Ends the running call. */
  #running: AbortController | undefined;
  /** The daemon cannot be reached any more. */
  #lost = false;
  /** Why the machine was given up. */
  #failure: GuestfsError | undefined;

  constructor({ machine, connection, listeners }: Booted, config: BackendConfig, events: BackendEvents) {
    this.#machine = machine;
    this.#connection = connection;
    this.#autosync = config.autosync;
    this.#inspection = config.inspection;
    this.#keepsWrites = keepsWrites(config);
    this.#daemon = {
      tmpdir: config.tmpdir,
      policy: config.policy,
      call: async (procedure, args, options = {}, control = {}) => {
        const known = this.#inspection?.get(inspectionKey(procedure, args));
        if (known !== undefined) {
          if ('error' in known) throw known.error;
          return known.value;
        }
        const value = await connection.call(procedure, args, options, control);
        if (procedure === 'inspect_os') this.#inspection = undefined;
        return value;
      },
      warn: (message) => events.log('warning', message),
    };
    this.#progress = (position, total) => events.progress(position, total);
    listeners.progress = this.#progress;
    // A daemon that is gone or out of step is useless. qemu may not have noticed, so it is ended too.
    listeners.broken = () => {
      this.#lost = true;
      const timer = setTimeout(() => machine.kill(), lagInMs);
      void machine.ended.then(() => clearTimeout(timer));
    };
    machine.qmp.onEvent(({ event }) => {
      if (event === 'STOP') void this.#stopped();
    });
    void machine.ended.then((end) => {
      this.#lost = true;
      connection.close();
      events.quit(this.#reasonOf(end));
    });
    machine.keepsAlive = false;
  }

  get pid(): number {
    return this.#machine.pid;
  }

  /** The facts about this machine: what qemu reports, and what its daemon supports. */
  async describe(): Promise<ApplianceFacts> {
    const { qmp } = this.#machine;
    const { enabled } = (await qmp.command('query-kvm')) as { enabled: boolean };
    return {
      accelerator: enabled ? 'kvm' : 'tcg',
      qemuVersion: qmp.version,
      daemon: this.#connection.daemon,
    };
  }

  async call(
    action: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
    { wantsProgress }: CallControl,
  ): Promise<unknown> {
    const abort = new AbortController();
    this.#running = abort;
    const { signal } = abort;
    try {
      const composite = libraryActions.get(action);
      if (composite === undefined) return await this.#daemon.call(action, args, options, { signal });
      const progress = wantsProgress ? this.#progress : undefined;
      return await composite(this.#daemon, args, options, { signal, progress });
    } catch (thrown) {
      throw await this.#explain(asGuestfsError(thrown));
    } finally {
      if (this.#running === abort) this.#running = undefined;
    }
  }

  /** The machine stopped, as after an internal error of KVM: it cannot go on by itself. */
  async #stopped(): Promise<void> {
    try {
      const { status } = (await this.#machine.qmp.command('query-status')) as { status?: unknown };
      if (status !== 'internal-error') return; // a debugger's doing, or that of somebody who knows how to go on
    } catch {
      return; // it ended, or does not answer: that has its own ways to be told
    }
    const said = this.#consoleTail;
    this.#failure = new GuestfsError(
      'EIO',
      `the appliance's processor failed before the call was done${said}; the backend setting force_tcg runs it without KVM`,
    );
    this.#machine.kill();
  }

  get #consoleTail(): string {
    const words = consoleTail(this.#machine);
    return words === undefined ? '' : `; the last that was heard of it: ${words}`;
  }

  /** Why the machine ended; undefined if the end was requested. */
  #reasonOf(end: MachineEnd): GuestfsError | undefined {
    if (this.#failure !== undefined || end.expected) return this.#failure;
    const how = end.signal === null ? `ended with status ${end.exitCode}` : `was ended by ${end.signal}`;
    return new GuestfsError(
      'EIO',
      `the appliance's qemu ${how} before the call was done${this.#consoleTail}; launch again`,
    );
  }

  /** The error of a call that failed because the machine ended, with the reason of that end. */
  async #explain(error: GuestfsError): Promise<GuestfsError> {
    if (error.code !== 'EIO' || !this.#lost) return error;
    const end = await within(lagInMs, this.#machine.ended);
    const reason = end === undefined ? undefined : this.#reasonOf(end);
    return reason === undefined ? error : new GuestfsError('EIO', reason.message, { cause: error });
  }

  cancel(): void {
    this.#running?.abort();
  }

  async shutdown({ autosync = this.#autosync, patienceInMs }: ShutdownOptions = {}): Promise<void> {
    if (!this.#machine.isRunning) return;
    this.#machine.keepsAlive = true;
    const failure = autosync && this.#keepsWrites ? await this.#sync(patienceInMs) : undefined;
    this.#connection.close();
    await this.#machine.quit();
    if (failure !== undefined) throw failure;
  }

  /** Writes the guest's unwritten data. Resolves to the error, if any. */
  async #sync(patienceInMs: number | undefined): Promise<GuestfsError | undefined> {
    const idle = this.#connection.idle().then(() => true);
    const isIdle = patienceInMs === undefined ? await idle : await within(patienceInMs, idle);
    if (isIdle !== true)
      return new GuestfsError(
        'ETIMEDOUT',
        'the appliance was still busy with a call that was cancelled, and was ended without writing what was not written yet',
      );
    try {
      const sync = this.#connection.call('internal_autosync', [], {}, {});
      if (
        (await within(
          syncPatienceInMs,
          sync.then(() => true),
        )) === true
      )
        return undefined;
    } catch (thrown) {
      return asGuestfsError(thrown);
    }
    return new GuestfsError(
      'ETIMEDOUT',
      `the appliance did not write all that was not written within ${syncPatienceInMs / 1000} seconds, and was ended`,
    );
  }

  kill(): void {
    this.#machine.kill();
  }
}
