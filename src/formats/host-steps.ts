/**
 * What copying to a host asks of it, step by step. The rules of copying are generators of steps: one of two small
 * loops does them, with or without waiting, and throws a step's failure, a GuestfsError, back into the rules.
 */

/** A host path as bytes, so that names that are no UTF-8 come out as they are. */
export type HostPathBytes = Uint8Array;

/** What is at a path, links not followed. */
export interface HostEntry {
  readonly isDirectory: boolean;
  /** The same for two paths exactly when they lead to one file. */
  readonly identity: string;
}

/** A file that is being written, by the descriptor that `open` gave. */
export interface OpenHostFile {
  readonly path: HostPathBytes;
  readonly fd: number;
}

/** What attributes are given to. Of a path, links are not followed. */
type HostTarget = { readonly path: HostPathBytes; readonly fd?: number };

export type HostStep =
  /** Answers with a {@link HostEntry}; undefined for nothing. */
  | { readonly do: 'lstat'; readonly path: HostPathBytes }
  | { readonly do: 'mkdir'; readonly path: HostPathBytes; readonly mode: number }
  | { readonly do: 'unlink'; readonly path: HostPathBytes }
  /** Makes a new file and answers with its descriptor; EEXIST where there is anything. */
  | { readonly do: 'open'; readonly path: HostPathBytes; readonly mode: number }
  | ({ readonly do: 'close' } & OpenHostFile)
  | { readonly do: 'symlink'; readonly path: HostPathBytes; readonly target: HostPathBytes }
  /** Gives the file at `from` another name, or makes a copy of it. */
  | { readonly do: 'link' | 'copyFile'; readonly path: HostPathBytes; readonly from: HostPathBytes }
  | ({ readonly do: 'chown'; readonly uid: number; readonly gid: number } & HostTarget)
  /** Never of a link, whose mode means nothing. */
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
