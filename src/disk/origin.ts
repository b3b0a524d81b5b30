/** Where the bytes of an image come from. A path of the host is one kind; a file of a page or a URL may be others. */
import { GuestfsError } from '../base/index.js';
import type { GrowableDisk } from './disk.js';

/** How far the file names in images are trusted. */
export type ImagePolicy =
  /**
   * Backing and data files only inside the image's own directory; a backing file's format must be given; no
   * protocols.
   */
  | 'untrusted'
  /** As qemu: any path, and formats are probed. */
  | 'trusted';

/** What an image names another file for. */
export type NamePurpose = 'backing' | 'data' | 'extent';

/** What a name that an image has leads to. */
export interface NamedOrigin {
  readonly origin: Origin;
  /** The format that the name itself tells, as a `json:` name may; by qemu's name. */
  readonly format: string | undefined;
}

/** How a file with an image is opened. */
export interface OriginOpening {
  readonly writable: boolean;
  /** An image that is written to is over this one, which is read: it is locked as an image, or as a raw disk. */
  readonly belowWritten?: 'image' | 'raw' | undefined;
  /** Told where the file cannot be locked. */
  readonly warn?: (message: string) => void;
}

/** One file with an image in it. */
export interface Origin {
  /** For messages, and for what others have to find it by: of a host's file the absolute path. */
  readonly name: string;
  /** Equal for two origins of one file. Throws the host's error where there is none. */
  readonly identity: string;
  /** Which files an image in it may name. */
  readonly policy: ImagePolicy;
  /**
   * Opens it. What is opened is the file that has {@link identity}: ESTALE where another one took its place. Otherwise
   * throws the host's error (ENOENT, EACCES, EROFS, …). One that is opened for writing is locked, so that nobody else
   * writes to it, or EBUSY where somebody has it.
   */
  open(how: OriginOpening): GrowableDisk;
  /**
   * Names of files beside it, and above it where the policy reaches there, for {@link resolve}: a bounded number.
   * Absent where an origin has no neighbours.
   */
  neighbours?(): readonly string[];
  /** Finds the file that an image in it names. EPERM where the policy forbids it; nothing is opened. */
  resolve(name: string, purpose: NamePurpose): NamedOrigin;
}

/** `what: refused: why`, and how to allow it. */
export function refusal(what: string, why: string): GuestfsError {
  return new GuestfsError(
    'EPERM',
    `${what}: refused: ${why}; open the image with policy 'trusted' if it comes from someone you trust`,
  );
}
