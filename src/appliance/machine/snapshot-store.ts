/**
 * Snapshots of started machines: the memory and own disk of an appliance that has no drive yet, in the user's cache
 * directory. A later launch resumes from there instead of booting.
 *   <cache>/start-<digest>/memory       qemu's migration stream
 *                          root.qcow2   the guest's writes to its own disk until then
 *                          state.json   the machine's identity, and the sums of the two files
 *
 * A snapshot is made in a directory of another name, which is renamed when complete. It fits only a machine with the
 * same qemu, appliance, processor, size and options.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  copyFileSync,
  constants as fsConstants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { asGuestfsError, GuestfsError, hostError } from '../../base/index.js';
import type { DaemonVersion } from '../wire/compat.js';
import { checkOwnDirectory } from './private-directory.js';

/** Increased when a snapshot or the machine changes in a way that its arguments do not show. */
const formatVersion = 2;

const prefix = 'start-';
const names = { memory: 'memory', root: 'root.qcow2', description: 'state.json' } as const;
/** How many snapshots are kept: as many as one user alternates between. Each takes about 150 MB. */
const mostKept = 3;
/** An unfinished snapshot of this age has been abandoned. Milliseconds. */
const abandonedAfterInMs = 10 * 60_000;
const readLength = 1024 * 1024;

/** The identity of a snapshot's machine. All of it must be equal for the snapshot to be used. For tests. */
export interface MachineIdentity {
  /** qemu's arguments, without those that differ in each start. */
  readonly arguments: readonly string[];
  /** The path of the program. */
  readonly hv: string;
  /** Of the appliance's files. */
  readonly appliance: string;
}

interface Sum {
  readonly sizeInBytes: number;
  readonly crc32: number;
}

interface Description {
  readonly identity: string;
  readonly daemon: DaemonVersion;
  readonly memory: Sum;
  readonly root: Sum;
}

/** The parts of this host that a snapshot depends on: the processor with its features, and the kernel. */
function hostIdentity(): readonly unknown[] {
  let flags = '';
  try {
    flags = /^(?:flags|Features)\s*:.*$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[0] ?? '';
  } catch {
    // no such file: the model alone tells
  }
  return [process.arch, cpus()[0]?.model ?? '', flags, release()];
}

function identityText({ arguments: args, hv, appliance }: MachineIdentity): string {
  const { ino, size, mtimeMs } = statSync(hv);
  return JSON.stringify([formatVersion, args, [hv, ino, size, mtimeMs], appliance, hostIdentity()]);
}

/** The checksum of a file. Other work of the event loop can run between the pieces. */
async function sumOf(file: FileHandle): Promise<Sum> {
  const piece = Buffer.allocUnsafe(readLength);
  let sum = 0;
  let at = 0;
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) return { sizeInBytes: at, crc32: sum };
    sum = crc32(piece.subarray(0, bytesRead), sum);
    at += bytesRead;
  }
}

async function sumOfPath(path: string): Promise<Sum> {
  const file = await open(path, 'r');
  try {
    return await sumOf(file);
  } finally {
    await file.close();
  }
}

/** The entries of a directory; none if it does not exist yet. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (thrown) {
    if (asGuestfsError(thrown).code === 'ENOENT') return [];
    throw thrown;
  }
}

/** The states of one user. */
export class SnapshotStore {
  readonly #cache: string;

  /** `cache`: the user's own cache directory. */
  constructor(cache: string) {
    this.#cache = cache;
  }

  /**
   * The place of a machine's snapshot, whether one exists or not. Throws the host's error about the program's file.
   */
  of(identity: MachineIdentity): MachineSnapshot {
    const text = identityText(identity);
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
    return new MachineSnapshot(this.#cache, `${prefix}${digest}`, text);
  }

  /** All snapshots, the last used first. Sizes in bytes. Throws the host's error. */
  list(): { readonly path: string; readonly sizeInBytes: number; readonly usedAt: Date }[] {
    return namesIn(this.#cache)
      .filter((name) => /^start-[0-9a-f]{16}$/.test(name))
      .flatMap((name) => {
        const path = join(this.#cache, name);
        try {
          const sizes = [names.memory, names.root].map((part) => statSync(join(path, part)).size);
          const { mtime } = statSync(path);
          return [{ path, sizeInBytes: sizes.reduce((sum, size) => sum + size, 0), usedAt: mtime }];
        } catch {
          return []; // another launch removes it right now
        }
      })
      .sort((a, b) => b.usedAt.getTime() - a.usedAt.getTime());
  }
}

/** The snapshot of one machine, to use or to make. */
export class MachineSnapshot {
  readonly #cache: string;
  readonly #name: string;
  readonly #identity: string;

  constructor(cache: string, name: string, identity: string) {
    this.#cache = cache;
    this.#name = name;
    this.#identity = identity;
  }

  /** The directory. */
  get path(): string {
    return join(this.#cache, this.#name);
  }

  /** The snapshot, if one of exactly this machine exists. The contents of its files are not checked yet. */
  find(): UsableSnapshot | undefined {
    let description: Description | null;
    try {
      checkOwnDirectory(this.path, process.geteuid?.() ?? 0);
      description = JSON.parse(
        readFileSync(join(this.path, names.description), 'utf8'),
      ) as Description | null;
    } catch {
      return undefined; // none, or none of ours: a new one takes its place
    }
    return description?.identity === this.#identity ? new UsableSnapshot(this.path, description) : undefined;
  }

  /** Removes an unusable snapshot. */
  discard(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  /** Begins a new snapshot. Throws the host's error. */
  begin(): UnfinishedSnapshot {
    const path = `${this.path}.${randomBytes(6).toString('hex')}`;
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (thrown) {
      throw hostError(path, thrown);
    }
    return new UnfinishedSnapshot(path, this.path, this.#identity);
  }

  /** Removes the snapshots that were unused for the longest time, and abandoned unfinished ones. */
  prune(now = Date.now()): void {
    for (const { path } of new SnapshotStore(this.#cache).list().slice(mostKept))
      rmSync(path, { recursive: true, force: true });
    for (const name of readdirSync(this.#cache).filter((each) => /^start-[0-9a-f]{16}\./.test(each))) {
      const path = join(this.#cache, name);
      const age = now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now);
      if (age > abandonedAfterInMs) rmSync(path, { recursive: true, force: true });
    }
  }
}

/** A state to go on from. */
export class UsableSnapshot {
  readonly daemon: DaemonVersion;
  readonly #path: string;
  readonly #description: Description;

  constructor(path: string, description: Description) {
    this.#path = path;
    this.#description = description;
    this.daemon = description.daemon;
  }

  /** The image of the guest's own disk, above the appliance's image. */
  get root(): string {
    return join(this.#path, names.root);
  }

  /** Opens the file with the machine's memory. The caller closes it. Throws the host's error. */
  openMemory(): number {
    return openSync(join(this.#path, names.memory), 'r');
  }

  /** Reads both files and compares their checksums. Rejects with GuestfsError (EIO, or the host's). */
  async check(): Promise<void> {
    for (const [name, sum] of [
      [names.memory, this.#description.memory],
      [names.root, this.#description.root],
    ] as const) {
      const path = join(this.#path, name);
      let found: Sum;
      try {
        found = await sumOfPath(path);
      } catch (thrown) {
        throw hostError(path, thrown);
      }
      if (found.sizeInBytes !== sum?.sizeInBytes || found.crc32 !== sum.crc32)
        throw new GuestfsError('EIO', `${path} is not as it was written`);
    }
  }

  /** Remembers that it was used. */
  touch(): void {
    try {
      const now = new Date();
      utimesSync(this.#path, now, now);
    } catch (thrown) {
      // Another launch, which had more recent snapshots, removed this one. It was usable all the same.
      if (asGuestfsError(thrown).code !== 'ENOENT') throw thrown;
    }
  }
}

/** A state that is being written. */
export class UnfinishedSnapshot {
  /** The directory of the unfinished snapshot. */
  readonly path: string;
  readonly #target: string;
  readonly #identity: string;

  constructor(path: string, target: string, identity: string) {
    this.path = path;
    this.#target = target;
    this.#identity = identity;
  }

  /** The file for the machine's memory. */
  get memory(): string {
    return join(this.path, names.memory);
  }

  /** Copies the guest's own disk, which must not change meanwhile. Throws the host's error. */
  keepRoot(image: string): void {
    copyFileSync(image, join(this.path, names.root), fsConstants.COPYFILE_FICLONE);
  }

  /** Gives the snapshot its name. If another launch was faster, its snapshot stays. Rejects with the host's error. */
  async finish(daemon: DaemonVersion): Promise<void> {
    const description: Description = {
      identity: this.#identity,
      daemon,
      memory: await sumOfPath(this.memory),
      root: await sumOfPath(join(this.path, names.root)),
    };
    writeFileSync(join(this.path, names.description), JSON.stringify(description), { mode: 0o600 });
    try {
      renameSync(this.path, this.#target);
    } catch (thrown) {
      const { code } = asGuestfsError(thrown);
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw thrown;
    }
  }

  /** Removes what was not finished. */
  close(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
