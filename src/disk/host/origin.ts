/** Images that are files of the host. */
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { decodeText, hostError } from '../../base/index.js';
import type { GrowableDisk } from '../disk.js';
import type { ImagePolicy, NamedOrigin, NamePurpose, Origin, OriginOpening } from '../origin.js';
import { FileDisk } from './file.js';
import { resolveName } from './names.js';
import { findHostFile, identityAt, toHostPath } from './path.js';

/** The most files of a directory that are told as neighbours. */
const mostNeighbours = 10_000;

/** The directory of the image that was opened first: below it an untrusted image may name files. */
class Root {
  readonly given: string;
  #real: string | undefined;

  constructor(given: string) {
    this.given = given;
  }

  /** Without links. */
  get real(): string {
    this.#real ??= findHostFile(this.given).realPath;
    return this.#real;
  }
}

export class HostOrigin implements Origin {
  readonly name: string;
  readonly policy: ImagePolicy;
  /** As it was given, which the host's errors name. */
  readonly #path: string;
  readonly #root: Root;
  #identity: string | undefined;

  /** `named`: for a file that an image named, the root of that image and what the policy let through. */
  constructor(path: string, policy: ImagePolicy, named?: { readonly root: Root; readonly identity: string }) {
    this.#path = path;
    this.name = named === undefined ? resolve(path) : path;
    this.policy = policy;
    this.#root = named?.root ?? new Root(dirname(this.name));
    this.#identity = named?.identity;
  }

  get identity(): string {
    this.#identity ??= identityAt(this.#path);
    return this.#identity;
  }

  open({ writable, belowWritten, warn = () => {} }: OriginOpening): GrowableDisk {
    const below = belowWritten === 'raw' ? ('reader of raw' as const) : ('reader' as const);
    const as = writable ? ('writer' as const) : belowWritten && below;
    const lock = as === undefined ? {} : { lock: { as, tell: warn } };
    return new FileDisk(this.#path, { writable, identity: this.identity, ...lock });
  }

  neighbours(): readonly string[] {
    const directory = dirname(this.name);
    // What lies above the directory of the first image is for trusted images alone.
    const above = this.policy === 'trusted' || directory !== this.#root.given;
    return ['', ...(above ? ['..'] : [])].flatMap((way) => {
      const path = join(directory, way);
      try {
        const names = readdirSync(toHostPath(path), { encoding: 'buffer' });
        return names.slice(0, mostNeighbours).map((name) => join(way, decodeText(name)));
      } catch (thrown) {
        throw hostError(path, thrown);
      }
    });
  }

  resolve(name: string, purpose: NamePurpose): NamedOrigin {
    const { policy } = this;
    const { path, file, format } = resolveName(name, purpose, { path: this.name, root: this.#root, policy });
    return { origin: new HostOrigin(path, policy, { root: this.#root, identity: file.identity }), format };
  }
}
