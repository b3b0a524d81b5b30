/**
 * Finds the appliance: in a list of directories, joined by colons, the first one with either the parts for supermin
 * (`supermin.d`) or a complete fixed appliance (`README.fixed`, `kernel`, `initrd`, `root`).
 */
import { existsSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { GuestfsError, hostError } from '../../base/index.js';
import { readExtUuid, readKernelImage } from './kernel-image.js';
import { cacheDirectory } from './private-directory.js';
import { buildAppliance } from './supermin.js';

/** What is booted. */
export interface Appliance {
  readonly kind: 'supermin' | 'fixed';
  readonly kernel: string;
  readonly initrd: string;
  /** A raw image of one ext2 filesystem. */
  readonly root: string;
  readonly rootUuid: string;
  readonly rootSizeInBytes: number;
  /** Where the kernel's image tells it. */
  readonly kernelVersion: string | undefined;
  /** Changes when any of the files does. */
  readonly identity: string;
}

interface ApplianceOptions {
  /** The list of directories. */
  readonly path: string;
  readonly cachedir: string;
  /** By qemu's name. */
  readonly architecture: string;
  readonly signal?: AbortSignal | undefined;
  /** Called with a few words on what the launch waits for. */
  readonly log?: (message: string) => void;
}

/** A place that has an appliance. */
export interface AppliancePlace {
  readonly kind: 'supermin' | 'fixed';
  readonly directory: string;
}

const fixedParts = ['README.fixed', 'kernel', 'initrd', 'root'];

/** The first directory of the list that has an appliance. */
export function findPlace(path: string): AppliancePlace | undefined {
  // An empty name in such a list is the present directory. Nothing is ever started from there.
  for (const directory of path.split(':').filter((name) => name !== '')) {
    if (existsSync(join(directory, 'supermin.d'))) return { kind: 'supermin', directory };
    if (fixedParts.every((name) => existsSync(join(directory, name)))) return { kind: 'fixed', directory };
  }
  return undefined;
}

/** Why nothing was found: a fixed appliance lacks a part, or there is no appliance. */
function missingAppliance(path: string): GuestfsError {
  for (const directory of path.split(':').filter((name) => name !== '')) {
    const missing = fixedParts.filter((name) => !existsSync(join(directory, name)));
    if (missing.length < fixedParts.length - 1)
      return new GuestfsError('ENOENT', `the appliance in ${directory} lacks ${missing.join(', ')}`);
  }
  return new GuestfsError(
    'ENOENT',
    `there is no appliance in ${path}: install libguestfs's (Debian: the package libguestfs0), or name its directory with LIBGUESTFS_PATH`,
  );
}

/** The first directory of the list that has an appliance. Throws GuestfsError (ENOENT), with the remedy. */
export function requirePlace(path: string): AppliancePlace {
  const place = findPlace(path);
  if (place === undefined) throw missingAppliance(path);
  return place;
}

/** The appliance, built if needed. Rejects with GuestfsError, with the remedy. */
export async function findAppliance(options: ApplianceOptions): Promise<Appliance> {
  const place = requirePlace(options.path);
  if (place.kind === 'fixed') return describeAppliance('fixed', place.directory, options.architecture);
  const { architecture, signal, log } = options;
  const cache = cacheDirectory(options.cachedir);
  const directory = await buildAppliance({
    source: join(place.directory, 'supermin.d'),
    cache,
    architecture,
    signal,
    ...(log === undefined ? {} : { log }),
  });
  return describeAppliance('supermin', directory, architecture);
}

/** Each build gets a new UUID, and each use gives its files a new date: see supermin.ts. */
const fileIdentity = (kind: Appliance['kind'], { ino, size, mtimeMs }: Stats): string =>
  kind === 'supermin' ? `${ino}-${size}` : `${ino}-${size}-${mtimeMs}`;

/** Reads the files of an appliance. Throws GuestfsError if they cannot be read or booted. */
export function describeAppliance(
  kind: Appliance['kind'],
  directory: string,
  architecture: string,
): Appliance {
  const [kernel, initrd, root] = ['kernel', 'initrd', 'root'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const image = readKernelImage(kernel);
  if (image.architecture !== architecture)
    throw new GuestfsError(
      'ENOEXEC',
      `the appliance's kernel ${kernel} is ${image.architecture === undefined ? 'none that is known' : `for ${image.architecture}`}, and this machine is ${architecture}: install a kernel for it, or choose another appliance with LIBGUESTFS_PATH`,
    );
  const rootUuid = readExtUuid(root);
  if (rootUuid === undefined)
    throw new GuestfsError(
      'EINVAL',
      `the appliance's disk ${root} is no ext2 filesystem: remove ${directory} and try again`,
    );
  const files = [kernel, initrd, root].map((path) => {
    try {
      return statSync(path);
    } catch (thrown) {
      throw hostError(path, thrown);
    }
  });
  return {
    kind,
    kernel,
    initrd,
    root,
    rootUuid,
    rootSizeInBytes: files[2]?.size ?? 0,
    kernelVersion: image.version,
    identity: [rootUuid, ...files.map((file) => fileIdentity(kind, file))].join(' '),
  };
}
