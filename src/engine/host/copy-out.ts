/** Copies a file or a tree of the guest into a directory of the host, by the rules of `formats/host-copy.ts`. */
import { statSync } from 'node:fs';
import { decodeText, describeErrno, HostError, hostError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { type HostAttributes, HostCopy, type HostSteps, lastNameOf, sourcesOf } from '../../formats/index.js';
import type { FileType, InodeStat, Time } from '../../fs/index.js';
import type { StatVisit } from '../../vfs/index.js';
import { contentsOf } from '../session/contents.js';
import type { Call } from '../thread/call.js';
import { distinctEntries, HardLinks, pathBelow } from './archive/entries.js';
import { TreeProgress } from './archive/progress.js';
import { move } from './copy-data.js';
import { DescriptorSink } from './data-sinks.js';
import { runSteps } from './host-steps.js';

const inSeconds = ({ seconds, nanoseconds }: Time): number => seconds + nanoseconds / 1e9;

const attributesOf = (stat: InodeStat): HostAttributes => ({
  mode: stat.mode,
  uid: stat.uid,
  gid: stat.gid,
  accessedSeconds: inSeconds(stat.accessed),
  modifiedSeconds: inSeconds(stat.modified),
});

/** The names of kinds of files in messages, if they differ from the type. */
const typeWords: Partial<Record<FileType, string>> = {
  block: 'block device',
  character: 'character device',
  unknown: 'file of an unknown type',
};

/** Throws ENOTDIR unless a path of the host is a directory, links followed. */
function requireDirectory(path: string): void {
  let isDirectory: boolean | undefined;
  try {
    isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  } catch (thrown) {
    throw hostError(path, thrown);
  }
  if (isDirectory !== true) throw new HostError('ENOTDIR', `${path}: ${describeErrno('ENOTDIR')}`, { path });
}

class CopyOut {
  readonly #call: Call;
  readonly #copy: HostCopy;
  readonly #links = new HardLinks();
  readonly #progress: TreeProgress;

  constructor(call: Call, copy: HostCopy, progress: TreeProgress) {
    this.#call = call;
    this.#copy = copy;
    this.#progress = progress;
  }

  #run<T>(steps: HostSteps<T>): T {
    return runSteps(steps, () => this.#call.touch());
  }

  /** Makes the file at `place` under a name of the copy; false: it is left out. */
  entry({ place, stat, path }: StatVisit, name: string, from: string): boolean {
    const { damage } = this.#call.session;
    const attributes = attributesOf(stat);
    const copy = this.#copy;
    switch (place.type) {
      case 'directory':
        return this.#run(copy.directory(name, attributes));
      case 'symlink': {
        let target: string | undefined;
        damage.attempt(from, () => {
          target = place.fileSystem.readlink(place.inode);
        });
        if (target === undefined) return false;
        return this.#run(copy.symlink(name, target, attributes, false));
      }
      case 'file': {
        const linkable = stat.linkCount > 1;
        const first = linkable ? this.#links.first(place, name) : undefined;
        if (first !== undefined && copy.hasFile(first))
          return this.#run(copy.hardLink(name, first, attributes));
        let contents: Disk | undefined;
        damage.attempt(from, () => {
          contents = contentsOf(place, path);
        });
        return contents !== undefined && this.#file(contents, name, from, attributes, linkable);
      }
      default:
        copy.leaveOut(name, typeWords[place.type] ?? place.type);
        return false;
    }
  }

  #file(contents: Disk, name: string, from: string, attributes: HostAttributes, linkable: boolean): boolean {
    const file = this.#run(this.#copy.file(name, linkable));
    if (file === undefined) return false;
    try {
      const sink = new DescriptorSink(file.fd, decodeText(file.path), () => this.#call.checkpoint());
      move(this.#call, contents, sink, {
        progress: (moved) => this.#progress.at(moved),
        onDamage: (error) => this.#call.session.damage.leaveOut(error, from),
      });
      sink.settle();
    } catch (thrown) {
      this.#run(this.#copy.abandonFile(file));
      throw thrown;
    }
    this.#progress.add(contents.size);
    this.#run(this.#copy.finishFile(file, attributes));
    return true;
  }
}

/** Copies the file or tree at `remotePath` into the host's directory, under its own last name. */
export function copyOut(
  call: Call,
  remotePath: string,
  localDirectory: string,
  platform: string = process.platform,
): void {
  const { session } = call;
  const isRoot = process.getuid?.() === 0;
  const start = session.tree.resolve(remotePath, { followLast: false });
  requireDirectory(localDirectory);
  const top = lastNameOf(remotePath);
  const copy = new HostCopy(Buffer.from(localDirectory), {
    platform,
    isRoot,
    keepsSetId: session.config.policy === 'trusted',
    warn: (message) => session.warn(message),
    shown: sourcesOf(remotePath),
  });
  const progress = new TreeProgress(call, start);
  const work = new CopyOut(call, copy, progress);
  const take = (visit: StatVisit): boolean => {
    const { path } = visit;
    const name = top === '' || path === '' ? top + path : `${top}/${path}`;
    // Neither the root nor `d/.` has a name: their files go directly into the caller's directory.
    return name === '' || work.entry(visit, name, pathBelow(remotePath, path));
  };
  for (const _entry of distinctEntries(call, start, take, remotePath)) progress.at(0);
  runSteps(copy.finish(), () => call.touch());
  session.damage.failIfPartial();
}
