/** A backend without disks, in this process, whose calls end when the test says so; and a clock that stands still. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Backend,
  BackendConfig,
  BackendEvents,
  CallControl,
  StartBackend,
} from '../../src/api/index.js';
import { GuestfsError } from '../../src/base/index.js';
import type { Clock } from '../../src/guestfs/events/progress.js';
import { Guestfs, type GuestfsOptions } from '../../src/guestfs/index.js';
import { testing } from '../../src/guestfs/testing.js';

/** Time that passes only when it is told to. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ at: number; callback: () => void }>();

  now(): number {
    return this.#now;
  }

  later(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many things are still to happen. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass; what is due on the way happens at its time. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }
}

/** A call that the fake backend was given. */
export interface FakeCall {
  readonly action: string;
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly control: CallControl;
  resolve(value?: unknown): void;
  reject(error: Error): void;
}

export class FakeBackend implements Backend {
  pid: number | undefined = 4711;
  readonly calls: FakeCall[] = [];
  cancels = 0;
  shutdowns = 0;
  kills = 0;
  /** What `shutdown` rejects with. */
  shutdownError: GuestfsError | undefined;
  /** Whether `cancel` ends the running call. */
  heedsCancel = true;
  /** Actions that end at once, with what they give. */
  readonly answers = new Map<string, unknown>([['ping_daemon', undefined]]);

  constructor(
    readonly config: BackendConfig,
    readonly events: BackendEvents,
  ) {}

  call(
    action: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
    control: CallControl,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.calls.push({ action, args, options, control, resolve, reject });
      if (this.answers.has(action)) resolve(this.answers.get(action));
    });
  }

  /** The call that came last. */
  get last(): FakeCall {
    const call = this.calls.at(-1);
    assert.ok(call, 'no call was made');
    return call;
  }

  cancel(): void {
    this.cancels += 1;
    if (this.heedsCancel) this.last.reject(new GuestfsError('ECANCELED', 'cancelled'));
  }

  async shutdown(): Promise<void> {
    this.shutdowns += 1;
    await Promise.resolve();
    this.events.quit();
    if (this.shutdownError) throw this.shutdownError;
  }

  kill(): void {
    this.kills += 1;
    setImmediate(() => this.events.quit());
  }
}

export interface FakeHandle {
  readonly g: Guestfs;
  readonly clock: FakeClock;
  /** The backends of all launches. */
  readonly backends: FakeBackend[];
  /** That of the last launch. */
  readonly backend: FakeBackend;
  /** What was written because nobody heard it. */
  readonly written: string[];
}

const directory = mkdtempSync(join(tmpdir(), 'guestfs-handle-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

/** An empty image of one mebibyte. */
export function imageFile(name = 'disk.img'): string {
  const path = join(directory, name);
  writeFileSync(path, '');
  truncateSync(path, 1024 * 1024);
  return path;
}

/** A handle on a fake backend, in `config` and without drives; the environment is not asked. */
export function fakeHandle(
  options: GuestfsOptions & { start?: (backend: FakeBackend, signal?: AbortSignal) => Promise<void> } = {},
): FakeHandle {
  const { start, ...rest } = options;
  const clock = new FakeClock();
  const backends: FakeBackend[] = [];
  const written: string[] = [];
  const startBackend: StartBackend = async (config, events, signal) => {
    const backend = new FakeBackend(config, events);
    backends.push(backend);
    await start?.(backend, signal);
    return backend;
  };
  const g = new Guestfs({
    environment: false,
    stderr: { write: (text) => written.push(text) },
    [testing]: { startBackend, clock },
    ...rest,
  });
  return {
    g,
    clock,
    backends,
    written,
    get backend() {
      const last = backends.at(-1);
      assert.ok(last, 'nothing was launched');
      return last;
    },
  };
}

/** A launched handle on a fake backend, with one drive. */
export async function launchedHandle(options: Parameters<typeof fakeHandle>[0] = {}): Promise<FakeHandle> {
  const handle = fakeHandle(options);
  handle.g.addDrive(imageFile());
  await handle.g.launch();
  return handle;
}

/** Checks that a promise rejects with this code, and this message. */
export async function rejectsWith(
  promise: Promise<unknown>,
  code: string,
  message: string | RegExp,
): Promise<GuestfsError> {
  let failure: unknown;
  await promise.then(
    () => assert.fail('it did not reject'),
    (thrown) => {
      failure = thrown;
    },
  );
  assert.ok(failure instanceof GuestfsError, `it rejected with ${failure}`);
  assert.equal(failure.code, code);
  if (typeof message === 'string') assert.equal(failure.message, message);
  else assert.match(failure.message, message);
  return failure;
}

/** Checks that a function throws with this code, and this message. */
export function throwsWith(call: () => unknown, code: string, message: string | RegExp): void {
  assert.throws(call, (thrown) => {
    assert.ok(thrown instanceof GuestfsError, `it threw ${thrown}`);
    assert.equal(thrown.code, code);
    if (typeof message === 'string') assert.equal(thrown.message, message);
    else assert.match(thrown.message, message);
    return true;
  });
}
