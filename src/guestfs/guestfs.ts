/** The public class: a handle with a method for each action, its private data, its callbacks and events. */
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import {
  type ActionMethods,
  type ActionName,
  actionNames,
  actions,
  type CallControls,
  camelCase,
  type Device,
  type DirectoryPage,
  type EventName,
  eventToString,
  hasOptsName,
  type InternalResult,
  type Mountable,
  type OsInfo,
  type Pathname,
  type SyncActionName,
  type TreeListing,
  type Unreadable,
} from '../api/index.js';
import { defaultLimits, type Limits, limitNames } from '../base/index.js';
import {
  CallbackSlots,
  type CloseCallback,
  type LaunchDoneCallback,
  type LogMessageCallback,
  type ProgressCallback,
  type SubprocessQuitCallback,
} from './events/callbacks.js';
import { EventStream, type EventStreamOptions } from './events/event-stream.js';
import {
  type EventValue,
  eventMask,
  eventValue,
  type GuestfsEvent,
  isEventName,
  type TextOutput,
} from './events/events.js';
import { systemClock } from './events/progress.js';
import { GuestFs } from './fs/guest-fs.js';
import { readPage, type WalkedEntry, walkPages } from './fs/pages.js';
import { Handle } from './handle.js';
import type { OrdinaryName, PrivateKey } from './private-data.js';
import { type HostTask, hostTask } from './programs/host-task.js';
import { launchCopy, prepareCopy, type SessionCopy, tellSession } from './programs/session-copy.js';
import type { BackendName } from './settings.js';
import type { HandleState } from './state.js';
import {
  createReadStream,
  type ReadStreamOptions,
  readable,
  type TarStreamOptions,
  tarStream,
  walkInParts,
  type ZipStreamOptions,
  zipStream,
} from './streams/index.js';
import { type TestingOptions, testing } from './testing.js';

/** How a handle is made. */
export interface GuestfsOptions {
  /**
   * The backend that does the actions. `auto`, the default, begins with the embedded engine, and goes over to the
   * appliance at the first call that only the appliance can do; `embedded` is the engine alone, in a worker thread of
   * this process; `direct` is the appliance from the launch on. This option overrides `LIBGUESTFS_BACKEND`.
   */
  readonly backend?: BackendName | undefined;
  /**
   * How far file names in images (backing files, data files) are trusted. `untrusted`, the default, follows none
   * outside the image's own directory, and guesses no formats; `trusted` does as qemu does.
   */
  readonly policy?: 'untrusted' | 'trusted' | undefined;
  /**
   * The most that one call of the embedded engine may use. An image that was made to do harm then ends in an error
   * (EDQUOT) that names the limit. Honest images stay far below the defaults; a service that reads strangers' images
   * may lower them. The backend settings `limit_entries=NUMBER` and so on override this option.
   */
  readonly limits?: Partial<Limits> | undefined;
  /** Whether `LIBGUESTFS_…` variables and `TMPDIR` make settings; true by default. */
  readonly environment?: boolean | undefined;
  /**
   * Whether the handle is closed when the process exits: its close callbacks run, and its backend is ended. True by
   * default.
   */
  readonly closeOnExit?: boolean | undefined;
  /**
   * The output for trace, warnings and, if verbose, messages without a callback: any object with `write`. Standard
   * error by default; null for none. Control characters are escaped there (`\
   * `, `\\x1b`); callbacks get them raw.
   */
  readonly stderr?: TextOutput | null | undefined;
  /**
   * The file of the engine's worker, as a `file:` URL or a path: the file that `guestfs/worker` resolves to, or a copy
   * of it. Only a bundled program may need this. Without the option, the worker is looked for in the package, beside the
   * file of the bundle under its own name `guestfs-engine.cjs`, and where the bundle would find the package installed.
   */
  readonly workerUrl?: string | URL | undefined;
  /** @internal */
  readonly [testing]?: TestingOptions | undefined;
}

const knownOptions = ['backend', 'policy', 'limits', 'environment', 'closeOnExit', 'stderr', 'workerUrl'];

function checkOptions(options: GuestfsOptions): void {
  for (const name of Object.keys(options))
    if (!knownOptions.includes(name))
      throw new TypeError(`Guestfs: no option ${name}; there are ${knownOptions.join(', ')}`);
  const { policy } = options;
  if (policy !== undefined && policy !== 'untrusted' && policy !== 'trusted')
    throw new TypeError(`Guestfs: policy must be 'untrusted' or 'trusted', not '${policy}'`);
  for (const [name, limit] of Object.entries(options.limits ?? {})) {
    if (!Object.hasOwn(defaultLimits, name))
      throw new TypeError(`Guestfs: no limit ${name}; there are ${limitNames.join(', ')}`);
    if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0))
      throw new RangeError(`Guestfs: the limit ${name} must be a whole number above 0, not ${limit}`);
  }
}

/** The URL of a file that was given as a URL or a path. */
function fileUrl(given: string | URL): string {
  const isPath = typeof given === 'string' && !given.startsWith('file:');
  const { protocol, href } = isPath ? pathToFileURL(given) : new URL(given);
  if (protocol !== 'file:')
    throw new TypeError(`Guestfs: workerUrl must be a file: URL or a path, not ${href}`);
  return href;
}

function checkCallback(method: string, callback: unknown): void {
  if (typeof callback !== 'function') throw new TypeError(`${method}: the callback must be a function`);
}

/** A handle: its drives, its settings, and its backend once launched. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are made from the tables, below
export class Guestfs {
  readonly #handle: Handle;
  readonly #slots: CallbackSlots<this>;
  readonly #options: GuestfsOptions;
  #fs: GuestFs | undefined;

  /**
   * A handle without drives, in the state `config`. Throws GuestfsError (EINVAL, ENOENT, …) for an invalid setting in
   * the environment, TypeError for unknown options.
   */
  constructor(options: GuestfsOptions = {}) {
    checkOptions(options);
    this.#options = options;
    const { backend, policy = 'untrusted', environment = true, closeOnExit = true, limits = {} } = options;
    this.#handle = new Handle({
      backend,
      policy,
      limits,
      workerUrl: options.workerUrl === undefined ? undefined : fileUrl(options.workerUrl),
      environment,
      closeOnExit,
      output: options.stderr === undefined ? process.stderr : options.stderr,
      clock: options[testing]?.clock ?? systemClock,
      startBackend: options[testing]?.startBackend,
    });
    this.#slots = new CallbackSlots(this, this.#handle.hub);
  }

  static {
    // A bundler may shorten the class name, which people see when a handle is printed.
    Object.defineProperty(Guestfs, 'name', { value: 'Guestfs' });
    /** Node's output for a handle: its state and its drives, which are no visible properties. */
    Object.defineProperty(Guestfs.prototype, Symbol.for('nodejs.util.inspect.custom'), {
      value(
        this: Guestfs,
        _depth: number,
        options: object,
        inspect: (value: unknown, options: object) => string,
      ) {
        const { state, drives } = this.#handle;
        return `Guestfs ${inspect({ state, drives: drives.describe() }, options)}`;
      },
    });
    /** The methods of the actions: `partDisk` for `part_disk`, and `mkfsOpts` beside `mkfs`. */
    for (const name of actionNames) {
      const method = camelCase<ActionName>(name);
      const call = function (this: Guestfs, ...given: unknown[]) {
        return actions[name].nonBlocking === true
          ? this.#handle.callSync(name as SyncActionName, given)
          : this.#handle.callAsync(name, given);
      };
      Object.defineProperty(call, 'name', { value: method, configurable: true });
      for (const each of hasOptsName(name) ? [method, `${method}Opts`] : [method])
        Object.defineProperty(Guestfs.prototype, each, { value: call, writable: true, configurable: true });
    }
  }

  /** `config` before launch, `launching`, `ready`, `busy` while a call runs, `closed` from the call of `close`. */
  get state(): HandleState {
    return this.#handle.state;
  }

  /**
   * The backend that does the calls at present; undefined before launch and after its end. With `auto` it is
   * `embedded` until the call that starts the appliance, and `direct` from then on: a message of the event `library`
   * says why. `getBackend()` is the setting.
   */
  get backend(): 'embedded' | 'direct' | undefined {
    return this.#handle.backend;
  }

  /**
   * The files of the guest in the shape of Node's `fs.promises`, for what is mounted: `g.fs.readFile('/etc/fstab',
   * 'utf8')`.
   */
  get fs(): GuestFs {
    this.#fs ??= new GuestFs(this);
    return this.#fs;
  }

  /**
   * Closes the handle. Its close callbacks run before this returns; then its private data and callbacks are dropped,
   * the running call is cancelled, and the backend ends in good order. Every later call fails. Resolves when
   * everything is gone; rejects with a GuestfsError if the backend reported a problem, as `shutdown` does. A second
   * call returns the same promise.
   */
  close(): Promise<void> {
    return this.#handle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * A second handle with the same drives, settings, mounts and unlocked devices, launched and read-only: its drives are
   * read-only, and so are its mounts. It has a thread of its own, so that both do their calls at once, and is closed by
   * its own `close`. It has no callbacks and no private data; what was written to a drive that discards writes is not on
   * it. Waits for the calls of this handle, and reads the images as they are on the disk then.
   *
   * The first fork of a program starts a thread, which takes longer than all else. From then on a thread is kept ready
   * for the next fork.
   *
   * A handle on the appliance launches a second one, with the same mounts, but not their options.
   *
   * Rejects with EBADFD before launch; ENOTSUP for scratch drives, and for mounts that cannot be made again; otherwise
   * as `launch` and the calls that are made again.
   */
  async fork(controls: CallControls = {}): Promise<Guestfs> {
    this[prepareCopy]();
    const g = await this[launchCopy](await this[tellSession](controls), controls);
    this[prepareCopy]();
    return g;
  }

  /** @internal */
  [hostTask]<N extends HostTask>(
    name: N,
    request: object,
    controls: CallControls,
  ): Promise<InternalResult<N>> {
    return this.#handle.hostTask(name, request, controls);
  }

  /** @internal */
  [prepareCopy](): void {
    this.#handle.prepareCopy();
  }

  /** @internal */
  [tellSession](controls: CallControls): Promise<SessionCopy> {
    return this.#handle.tellSession(controls);
  }

  /** @internal */
  async [launchCopy](copy: SessionCopy, controls: CallControls): Promise<Guestfs> {
    const g = new Guestfs({ ...this.#options, environment: false });
    try {
      await g.#handle.launchCopy(copy, controls);
      return g;
    } catch (thrown) {
      await g.close().catch(() => {}); // the failure of the launch is told
      throw thrown;
    }
  }

  /**
   * Everything below a directory with the `lstatns` facts of each file, in columns: for whole trees, where a call or
   * an object for each file would take many times as long. Links are not followed; filesystems mounted below are
   * included. Damaged parts are left out, and a `warning` event marked `partial` reports them. Rejects with ENOENT or
   * ENOTDIR if the path is no directory, EFBIG if the paths take more than 256 MiB, ECANCELED if cancelled. Rejects
   * with a TypeError for invalid arguments.
   */
  walk(directory: Pathname, controls?: CallControls): Promise<TreeListing>;
  walk(...given: unknown[]): Promise<TreeListing> {
    return this.#handle.walk(given);
  }

  /**
   * The same in parts of about a thousand files, each given while the next is looked for: for trees of any size, with
   * little memory, and with the first files at once. Leaving the loop early ends the call; until then the handle is busy
   * with it. Rejects as `walk`, but for EFBIG, once the parts before are taken.
   */
  walkInParts(directory: Pathname, controls?: CallControls): AsyncGenerator<TreeListing, void> {
    return walkInParts(this.#handle, directory, controls);
  }

  /**
   * Everything below a directory, one file after another, with the facts of `lstat`: for trees of any size, as only few
   * entries are in memory at a time. Each directory comes before what is in it, and names in the order of their bytes.
   * Links are not followed; filesystems mounted below are included. Damaged parts are left out, and a `warning` event
   * marked `partial` reports them. Where all is wanted, `walk` and `walkInParts` are
   * quicker. Rejects as `walk`.
   */
  walkEntries(directory: Pathname, controls: CallControls = {}): AsyncGenerator<WalkedEntry, void> {
    return walkPages(this, directory, controls);
  }

  /** @internal */
  [readPage](
    directory: string,
    after: string,
    limit: number,
    withStats: boolean,
    controls: CallControls,
  ): Promise<DirectoryPage> {
    return this.#handle.readPage([directory, after, limit, withStats], controls);
  }

  /**
   * The devices that could not be read, or whose contents could not, each with what was recognised and why it failed:
   * damaged bytes or partition tables, filesystems or containers that the backend does not implement, and after
   * `inspectOs` filesystems that could not be examined. They are missing from the answers of `inspectOs`,
   * `listFilesystems` and others. Such a call rejects if its answer would be empty without them. Rejects with ENOTSUP
   * on the direct backend, whose appliance does not report this.
   */
  unreadable(controls: CallControls = {}): Promise<readonly Unreadable[]> {
    return this.#handle.unreadable(controls);
  }

  /**
   * All that `inspectOs` of this handle has found about the operating system on a root, as one object: the answers of
   * the getters `inspectGetType`, `inspectGetDistro` and so on. Rejects as they do, with EINVAL for a root that was not
   * found.
   */
  osInfo(root: Mountable, controls: CallControls = {}): Promise<OsInfo> {
    return this.#handle.osInfo(root, controls);
  }

  /**
   * Bytes of a file of the guest as a Node stream, all of them or those from `start` to `end`. As in `download`, a path
   * below `/dev/` is a device. Nothing lies past the end: a range that begins there is empty. The stream ends by
   * itself, and `destroy()` ends it early; both leave the handle ready for the next call, from the event `close` on.
   *
   * A stream is one call of this handle, from its first read on: a stream that is read slowly makes other calls of
   * the handle wait. A stream that nobody has read from makes none wait, and reports no error.
   *
   * Errors are GuestfsErrors: ENOENT, EISDIR, EIO, ECANCELED if `signal` aborted or the handle was closed, …
   * Throws a TypeError or RangeError for invalid arguments.
   */
  createReadStream(path: Pathname | Device, options?: ReadStreamOptions): Readable {
    return createReadStream(this.#handle, path, options);
  }

  /**
   * As `createReadStream`, as a web stream of bytes (`ReadableStream`): its `cancel` ends it early. By default no chunk
   * is held ready for the reader.
   */
  readable(path: Pathname | Device, options?: ReadStreamOptions): ReadableStream<Uint8Array> {
    return readable(this.#handle, path, options);
  }

  /**
   * Everything in a directory as a tar archive that is made while it is read, by the rules of `createReadStream`;
   * options and contents are those of `tarOut`. What is damaged is left out or zeroes, with a `warning` event each:
   * then the stream gives all the rest, and fails at its end with a PartialError.
   */
  tarStream(directory: Pathname, options?: TarStreamOptions): Readable {
    return tarStream(this.#handle, directory, options);
  }

  /**
   * Everything in a directory as a zip file that is made while it is read, by the rules of `tarStream`. Names are
   * relative to the directory, in UTF-8 where they are that. Modes, times, owners (as Info-ZIP has them) and symbolic
   * links are kept; a file with several names is stored under each. Devices, pipes, sockets and names that would lead
   * out of where the file is unpacked are left out with a warning.
   */
  zipStream(directory: Pathname, options?: ZipStreamOptions): Readable {
    return zipStream(this.#handle, directory, options);
  }

  /**
   * Stores a value in the handle under a name and replaces an earlier one; null removes it. The library does not use
   * the value. Names that begin with `_` are reserved for bindings built on this library, which make them with
   * `bindingKey`.
   */
  setPrivate<T>(key: PrivateKey<T>, value: T | null): void;
  setPrivate<const Name extends string>(key: OrdinaryName<Name>, value: unknown): void;
  setPrivate(key: string, value: unknown): void {
    this.#handle.privateData.set(key, value);
  }

  /** The value of a name; null if there is none, or if it was set to null. */
  getPrivate<T>(key: PrivateKey<T>): T | null;
  getPrivate<const Name extends string>(key: OrdinaryName<Name>): unknown;
  getPrivate(key: string): unknown {
    return this.#handle.privateData.get(key);
  }

  /**
   * Begins a walk over the private data, which `nextPrivate` continues: a name and its value, or null if there is
   * none. The order has no meaning. Names may be set and removed during the walk: removed names and new names are
   * left out.
   */
  firstPrivate(): [key: string, value: unknown] | null {
    return this.#handle.privateData.first();
  }

  /** The next name and value of the walk that `firstPrivate` began; null at its end. */
  nextPrivate(): [key: string, value: unknown] | null {
    return this.#handle.privateData.next();
  }

  /** The private data as an iterable; any number of walks at a time, by the rules of `firstPrivate`. */
  privateEntries(): IterableIterator<[key: string, value: unknown]> {
    return this.#handle.privateData.entries();
  }

  /** One callback for messages of the backend itself (the event `appliance`): `(g, opaque, message)`. */
  setLogMessageCallback<Opaque = undefined>(
    callback: LogMessageCallback<this, Opaque> | null,
    opaque?: Opaque,
  ): void {
    this.#setSlot('logMessage', 'setLogMessageCallback', callback, opaque);
  }

  /** One callback for the end of the backend, requested or not: `(g, opaque)`. */
  setSubprocessQuitCallback<Opaque = undefined>(
    callback: SubprocessQuitCallback<this, Opaque> | null,
    opaque?: Opaque,
  ): void {
    this.#setSlot('subprocessQuit', 'setSubprocessQuitCallback', callback, opaque);
  }

  /** One callback for the end of a successful launch: `(g, opaque)`. */
  setLaunchDoneCallback<Opaque = undefined>(
    callback: LaunchDoneCallback<this, Opaque> | null,
    opaque?: Opaque,
  ): void {
    this.#setSlot('launchDone', 'setLaunchDoneCallback', callback, opaque);
  }

  /** One callback for `close`, called once, before `close` returns: `(g, opaque)`. */
  setCloseCallback<Opaque = undefined>(callback: CloseCallback<this, Opaque> | null, opaque?: Opaque): void {
    this.#setSlot('close', 'setCloseCallback', callback, opaque);
  }

  /** One callback for progress: `(g, opaque, procNr, serial, position, total)`. */
  setProgressCallback<Opaque = undefined>(
    callback: ProgressCallback<this, Opaque> | null,
    opaque?: Opaque,
  ): void {
    this.#setSlot('progress', 'setProgressCallback', callback, opaque);
  }

  #setSlot(slot: keyof CallbackSlots<this>, method: string, callback: unknown, opaque: unknown): void {
    this.#handle.requireOpen(method);
    if (callback !== null) checkCallback(method, callback);
    this.#slots[slot].set(callback as never, opaque);
  }

  /**
   * Adds a callback for some events, given by their names or as a mask of the C library's bits. Callbacks are called
   * in the order in which they were added; their errors become `warning` events. Returns a number for
   * `deleteEventCallback`; after that call it may be used again. Throws GuestfsError: ENOSPC for more than 1000
   * callbacks, EINVAL for unknown events.
   */
  setEventCallback<E extends EventName = EventName>(
    callback: (event: GuestfsEvent<E>, eventHandle: number, g: this) => unknown,
    events: number | E | readonly E[],
  ): number {
    this.#handle.requireOpen('setEventCallback');
    checkCallback('setEventCallback', callback);
    const registration = this.#handle.hub.add(eventMask(events), (event) =>
      callback(event as GuestfsEvent<E>, registration.eventHandle, this),
    );
    return registration.eventHandle;
  }

  /**
   * Removes a callback. It is not called any more, even for an event that is being sent. An unknown number is
   * ignored.
   */
  deleteEventCallback(eventHandle: number): void {
    this.#handle.hub.remove(eventHandle);
  }

  /** The C library's names of the events in a mask, joined by commas. Throws GuestfsError (EINVAL). */
  eventToString(mask: number): string {
    return mask === 0 ? '' : eventToString(eventMask(mask));
  }

  /**
   * Calls a listener at each event of a name: with the progress, the text, or undefined for events without a value.
   * Returns a function that removes the listener.
   */
  on<E extends EventName>(name: E, listener: (value: EventValue<E>, g: this) => unknown): () => void {
    this.#handle.requireOpen('on');
    checkCallback('on', listener);
    const { hub } = this.#handle;
    const registration = hub.add(eventMask(name), (event) =>
      listener(eventValue(event as GuestfsEvent<E>), this),
    );
    return () => hub.remove(registration);
  }

  /** As `on`, but only for the next event of that name. */
  once<E extends EventName>(name: E, listener: (value: EventValue<E>, g: this) => unknown): () => void {
    checkCallback('once', listener);
    const stop = this.on(name, (value, g) => {
      stop();
      return listener(value, g);
    });
    return stop;
  }

  /**
   * The events of a name as an iterable, from now on. The iteration ends when the handle is closed, when `signal`
   * aborts, when the promise `until` settles, or when the loop is left; earlier events are still delivered.
   *
   *     const copy = g.download('/big', 'big');
   *     for await (const { position, total } of g.events('progress', { until: copy })) show(position / total);
   *     await copy;
   */
  events<E extends EventName>(name: E, options?: EventStreamOptions): AsyncIterableIterator<EventValue<E>> {
    this.#handle.requireOpen('events');
    if (!isEventName(name)) eventMask(name); // throws
    const { hub } = this.#handle;
    const registration = hub.add(
      eventMask(name),
      (event) => stream.push(eventValue(event as GuestfsEvent<E>)),
      () => stream.end(),
    );
    const stream = new EventStream<EventValue<E>>(() => hub.remove(registration), options);
    return stream;
  }
}

export interface Guestfs extends ActionMethods {}
