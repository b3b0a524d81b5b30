/** A tree of the guest as a tar archive. */
import { type TarEntry, TarHeaderWriter, tarBlockLength, tarPadding } from '../../base/index.js';
import type { FileType, InodeNumber, InodeStat } from '../../fs/index.js';
import { type Mount, type Place, walkTree } from '../../vfs/index.js';
import { BufferedTaker } from '../buffered.js';
import type { Call } from '../call.js';
import { contentsOf } from '../contents.js';
import { move, type Taker } from '../mover.js';
import { excluder } from './excludes.js';
import { type AttributeOptions, attributeRecords } from './tar-attributes.js';

export interface TarOptions {
  readonly excludes?: readonly string[];
  /** Which extended attributes are stored; none without. */
  readonly attributes?: AttributeOptions;
}

/** Blocks of a record: an archive is a multiple of this many. GNU tar's and POSIX's default. */
const recordLength = 20 * tarBlockLength;

const entryTypes: Readonly<Record<FileType, TarEntry['type'] | undefined>> = {
  file: 'file',
  directory: 'directory',
  symlink: 'symlink',
  block: 'block',
  character: 'character',
  fifo: 'fifo',
  socket: undefined,
  unknown: undefined,
};

const noRecords: ReadonlyMap<string, Uint8Array> = new Map();

/** Which name a file with several was stored under first. */
class HardLinks {
  readonly #names = new Map<Mount, Map<InodeNumber, string>>();

  /** The first name, or undefined when this is it. */
  first(place: Place, name: string): string | undefined {
    let names = this.#names.get(place.mount);
    if (names === undefined) {
      names = new Map();
      this.#names.set(place.mount, names);
    }
    const known = names.get(place.inode);
    if (known === undefined) names.set(place.inode, name);
    return known;
  }
}

function tarEntry(
  place: Place,
  stat: InodeStat,
  name: string,
  first: string | undefined,
  options: TarOptions,
): TarEntry | undefined {
  const type = first === undefined ? entryTypes[place.type] : 'hardlink';
  if (type === undefined) return undefined;
  return {
    name,
    type,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    sizeInBytes: type === 'file' ? stat.sizeInBytes : 0,
    modifiedSeconds: stat.modified.seconds,
    linkName: first ?? (type === 'symlink' ? place.fileSystem.readlink(place.inode) : ''),
    // As in libguestfs, whose appliance knows no names: those of the guest would be others' on the host.
    userName: '',
    groupName: '',
    deviceMajor: stat.deviceMajor,
    deviceMinor: stat.deviceMinor,
    records:
      options.attributes === undefined || first !== undefined
        ? noRecords
        : attributeRecords(place, stat, options.attributes),
  };
}

/** Writes an archive of everything in a directory, with names that begin with `./`. */
export function writeTar(call: Call, start: Place, to: Taker, options: TarOptions): void {
  const out = new BufferedTaker(to);
  const links = new HardLinks();
  const excluded = excluder(options.excludes ?? []);
  const headers = new TarHeaderWriter(out, options.attributes !== undefined);
  const skip = new Set<string>();
  const walk = walkTree(call.session.tree, start, { into: ({ path }) => !skip.delete(path) });
  for (const { path, place } of walk) {
    const name = path === '' ? './' : `./${path}`;
    if (excluded(path === '' ? '.' : name)) {
      if (place.type === 'directory') skip.add(path);
      continue;
    }
    call.progress(out.position, 0);
    const stat = place.fileSystem.stat(place.inode);
    const linked = place.type !== 'directory' && stat.linkCount > 1;
    const shown = place.type === 'directory' && path !== '' ? `${name}/` : name;
    const first = linked ? links.first(place, shown) : undefined;
    const entry = tarEntry(place, stat, shown, first, options);
    if (entry === undefined) {
      call.session.warn(
        `${name}: a ${place.type} has no place in a tar archive and is left out`,
        'no place in tar',
      );
      continue;
    }
    headers.write(entry);
    if (entry.type !== 'file') continue;
    const before = out.position;
    move(call, contentsOf(place, path), out, { progress: (moved) => call.progress(before + moved, 0) });
    out.hole(tarPadding(entry.sizeInBytes));
  }
  out.hole(2 * tarBlockLength);
  out.hole((recordLength - (out.position % recordLength)) % recordLength);
  out.flush();
}
