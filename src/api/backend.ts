/**
 * The interface between the handle and a backend, which the embedded engine and the appliance share. Arguments are
 * checked before. Each method is called in one state of the handle at a time: see ARCHITECTURE.md.
 */

import type { Elsewhere, GuestfsError, Limits } from '../base/index.js';

/** What a host file is, and whatever it stands on. */
export interface DriveImage {
  readonly path: string;
  /** By qemu's name. */
  readonly format: string;
  readonly backing?: DriveImage;
  /** Where a qcow2 image keeps its data outside itself. */
  readonly dataFile?: string;
  /** Where in the file the image lies, in bytes; absent where the file is the image. */
  readonly slice?: { readonly offset: number; readonly size: number };
}

/** A drive as the handle has it when it launches. */
export interface DriveConfig {
  /** Host path of the image; undefined for a scratch drive. */
  readonly path?: string;
  /**
   * The images at `path`, as far as the policy allows opening them; absent for a backend that examines them itself.
   */
  readonly image?: DriveImage;
  /** Of a scratch drive, in bytes. */
  readonly scratchSizeInBytes?: number;
  readonly readonly: boolean;
  /** By qemu's name; undefined: detected. */
  readonly format?: string;
  /** Which disk of an archive, by its name there; undefined: its first. */
  readonly member?: string;
  readonly label?: string;
  /** Logical sector size. */
  readonly blocksize?: 512 | 4096;
  readonly iface?: string;
  readonly name?: string;
  readonly protocol?: string;
  readonly server?: readonly string[];
  readonly username?: string;
  readonly secret?: string;
  readonly cachemode?: string;
  readonly discard?: string;
  readonly copyonread?: boolean;
  /**
   * A qcow2 image over the drive's own, which has what another backend wrote to a drive whose writes are discarded.
   * A backend that starts with it only reads it, and keeps it open: the caller may remove the file as soon as the
   * backend has started.
   */
  readonly layer?: string;
}

/** What a call gave, or its failure. */
export type KnownAnswer = { readonly value: unknown } | { readonly error: GuestfsError };

/** The handle's settings that a backend may need, as they are at launch. */
export interface BackendConfig {
  readonly drives: readonly DriveConfig[];
  readonly policy: 'untrusted' | 'trusted';
  readonly verbose: boolean;
  readonly trace: boolean;
  /** Directory for temporary files. */
  readonly tmpdir: string;
  readonly cachedir: string;
  readonly sockdir: string;
  /** Megabytes. */
  readonly memsize: number;
  readonly smp: number;
  readonly hv: string;
  readonly path: string;
  readonly append: string | null;
  readonly network: boolean;
  readonly autosync: boolean;
  readonly recoveryProc: boolean;
  readonly backendSettings: readonly string[];
  /** What one call may use at most. */
  readonly limits: Limits;
  /** The file: URL of the engine's worker; undefined: looked for. */
  readonly workerUrl?: string | undefined;
  /**
   * What another backend's inspection has found, by {@link inspectionKey}: the answers of the getters until the next
   * `inspect_os`.
   */
  readonly inspection?: ReadonlyMap<string, KnownAnswer>;
  /** Further hypervisor parameters, as given to `config`. */
  readonly hvParams: readonly (readonly [string, string | null])[];
}

/** The progress of a call. Both numbers are in units of the action's own; `0 ≤ position ≤ total`. */
export interface Progress {
  /** guestfsd's procedure number of the action; 0 for actions of the library. */
  readonly procNr: number;
  /** Counts the calls of a handle. */
  readonly serial: number;
  readonly position: number;
  readonly total: number;
}

/** What a backend tells the handle. */
export interface BackendEvents {
  /**
   * The running call's raw progress: the handle applies the rules of time and order. `total` 0 means unknown length:
   * the handle then sends pulses.
   */
  progress(position: number, total: number): void;
  /**
   * A message of the backend's log: `appliance` from inside, `library` about it. `partial`: a warning of what the
   * answer of the running call lacks. `elsewhere`: who else may do what a warning says is not supported.
   */
  log(
    kind: 'appliance' | 'library' | 'warning',
    message: string,
    partial?: boolean,
    elsewhere?: Elsewhere,
  ): void;
  /**
   * The worker or the process has ended, requested or not; no event follows. With the reason, if the backend knows
   * it.
   */
  quit(reason?: GuestfsError): void;
}

/** What a call is told beside its arguments. */
export interface CallControl {
  /** Whether anybody listens to progress: then a total is worth some work. */
  readonly wantsProgress: boolean;
}

/** How a backend ends. */
export interface ShutdownOptions {
  /** As the setting is now; without it, as it was at launch. */
  readonly autosync?: boolean;
  /** How long a cancelled call may delay the end, in milliseconds; after that it is killed. Default: for ever. */
  readonly patienceInMs?: number;
}

/** A call that brings another backend to the same state. */
export interface CarriedCall {
  readonly action: string;
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
  /** The call did what was possible and failed for the rest, so it may fail again: `vg_activate` of a partial group. */
  readonly fails?: true;
}

/** What a session was, in words that another backend can make true again. */
export interface Carried {
  /** In the order of the configuration; `layer` as in {@link DriveConfig}, where anything was written. */
  readonly drives: readonly { readonly layer?: string }[];
  /**
   * The calls whose effect lasts, in the order in which they were made: filters, activations and unlocked devices, the
   * last inspection, mountpoints, mounts with their options, read-only flags, `umask`.
   */
  readonly calls: readonly CarriedCall[];
}

/** A running backend. It keeps the process alive only while it is busy. */
export interface Backend {
  /** The process that does the work; undefined if that is a thread of our own. */
  readonly pid: number | undefined;
  /** Of a backend that is made of others: the one that does the calls at present. */
  readonly atWork?: 'embedded' | 'direct';
  /**
   * Calls an action by its libguestfs name. `args` are the required arguments in order, `options` the given optional
   * ones. Rejects with a GuestfsError whose message has the action in front. Only one call runs at a time.
   */
  call(
    action: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
    control: CallControl,
  ): Promise<unknown>;
  /** Cancels the running call, which rejects with ECANCELED. Without one, nothing happens. */
  cancel(): void;
  /**
   * Ends in good order: filesystems are synced and unmounted, temporary files removed. Resolves when everything is
   * gone.
   */
  shutdown(options?: ShutdownOptions): Promise<void>;
  /**
   * Ends as `shutdown` does, and tells what the session was. Only a backend that another can follow has it. When it
   * resolves, no file of a drive is open any more. Rejects with a GuestfsError, and the session goes on as it was: also
   * for ECANCELED, after `cancel`. `files`: for each drive whose writes are discarded, an empty file for its layer.
   */
  leave?(files: readonly (string | undefined)[]): Promise<Carried>;
  /** Ends at once. Also safe while the process is exiting: temporary files are removed synchronously. */
  kill(): void;
}

/** Starts a backend; resolves when it is ready for calls. Rejects with a GuestfsError, leaving nothing behind. */
export type StartBackend = (
  config: BackendConfig,
  events: BackendEvents,
  signal?: AbortSignal,
) => Promise<Backend>;
