/**
 * The steps of copying to a host. The rules are generators of steps: one of two small loops, synchronous or
 * asynchronous, runs them, and throws a step's error, a GuestfsError, back into the rules.
 */

/** A host path as bytes, so that names that are not UTF-8 stay unchanged. */
export type HostPathBytes = Uint8Array;

/** What is at a path, links not followed. */
export interface HostEntry {
  readonly isDirectory: boolean;
  /** Equal for two paths exactly if they lead to one file. */
  readonly identity: string;
}

/** A file that is being written, by the descriptor of `open`. */
export interface OpenHostFile {
  readonly path: HostPathBytes;
  readonly fd: number;
}

/** The file whose attributes are set. A link at a path is not followed. */
type HostTarget = { readonly path: HostPathBytes; readonly fd?: number };

export type HostStep =
  /** The answer is a {@link HostEntry}; undefined if nothing is there. */
  | { readonly do: 'lstat'; readonly path: HostPathBytes }
  | { readonly do: 'mkdir'; readonly path: HostPathBytes; readonly mode: number }
  | { readonly do: 'unlink'; readonly path: HostPathBytes }
  /** Makes a new file; the answer is its descriptor. EEXIST if anything is there. */
  | { readonly do: 'open'; readonly path: HostPathBytes; readonly mode: number }
  | ({ readonly do: 'close' } & OpenHostFile)
  | { readonly do: 'symlink'; readonly path: HostPathBytes; readonly target: HostPathBytes }
  /** Gives the file at `from` another name, or makes a copy of it. */
  | { readonly do: 'link' | 'copyFile'; readonly path: HostPathBytes; readonly from: HostPathBytes }
  | ({ readonly do: 'chown'; readonly uid: number; readonly gid: number } & HostTarget)
  /** Never for a link, whose mode has no meaning. */
  | ({ readonly do: 'chmod'; readonly mode: number } & HostTarget)
  /** Times in seconds. */
  | ({
      readonly do: 'utimes';
      readonly accessedSeconds: number;
      readonly modifiedSeconds: number;
    } & HostTarget);

// biome-ignore lint/suspicious/noConfusingVoidType: what calls of the system give that answer nothing
export type HostAnswer = HostEntry | number | undefined | void;
export type HostSteps<T> = Generator<HostStep, T, HostAnswer>;
