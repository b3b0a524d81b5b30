/** A tree of the guest as a tar archive. */

import type { Disk } from '../../../disk/index.js';
import { excluder, type TarEntry, TarHeaderWriter, tarEnd, tarPadding } from '../../../formats/index.js';
import type { FileType, InodeStat } from '../../../fs/index.js';
import type { Place, Visit } from '../../../vfs/index.js';
import { contentsOf } from '../../session/contents.js';
import type { Call } from '../../thread/call.js';
import { BufferedSink } from '../buffered.js';
import { type DataSink, move } from '../copy-data.js';
import { distinctEntries, HardLinks, pathBelow } from './entries.js';
import { TreeProgress } from './progress.js';
import { type AttributeOptions, attributeRecords } from './tar-attributes.js';

interface TarOptions {
  readonly excludes?: readonly string[];
  /** Which extended attributes are stored; none by default. */
  readonly attributes?: AttributeOptions;
}

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

function tarEntry(
  place: Place,
  stat: InodeStat,
  name: string,
  first: string | undefined,
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
    // As in libguestfs, whose appliance knows no names: the guest's names would mean other users on the host.
    userName: '',
    groupName: '',
    deviceMajor: stat.deviceMajor,
    deviceMinor: stat.deviceMinor,
    records: noRecords,
  };
}

/**
 * Writes an archive of everything in a directory, with names that begin with `./`. `directory`: its path in the
 * guest, for warnings.
 */
export function writeTar(
  call: Call,
  directory: string,
  start: Place,
  to: DataSink,
  options: TarOptions,
): void {
  const out = new BufferedSink(to);
  const links = new HardLinks();
  const excluded = excluder(options.excludes ?? []);
  const headers = new TarHeaderWriter(out, options.attributes !== undefined);
  const { damage } = call.session;
  const wanted = ({ path }: Visit): boolean => !excluded(path === '' ? '.' : `./${path}`);
  const progress = new TreeProgress(call, start, wanted);
  for (const { path, place, stat } of distinctEntries(call, start, wanted, directory)) {
    progress.at(0);
    const name = path === '' ? './' : `./${path}`;
    const from = pathBelow(directory, path);
    const linked = place.type !== 'directory' && stat.linkCount > 1;
    const shown = place.type === 'directory' && path !== '' ? `${name}/` : name;
    const first = linked ? links.first(place, shown) : undefined;
    let entry: TarEntry | undefined;
    let records = noRecords;
    let contents: Disk | undefined;
    const isThere = damage.attempt(from, () => {
      entry = tarEntry(place, stat, shown, first);
      if (entry?.type === 'file') contents = contentsOf(place, path);
    });
    if (!isThere) {
      // Its other names cannot be links to this one.
      if (linked && first === undefined) links.forget(place);
      continue;
    }
    if (entry === undefined) {
      call.session.warn(
        `${from}: a ${place.type} has no place in a tar archive and is left out`,
        'no place in tar',
      );
      continue;
    }
    const { attributes } = options;
    if (attributes !== undefined && first === undefined)
      damage.attempt(`${from}: attributes`, () => {
        records = attributeRecords(place, stat, attributes, ({ message }) =>
          call.session.warn(`${from}: archived without an attribute: ${message}`, 'attributes too long'),
        );
      });
    headers.write(records === noRecords ? entry : { ...entry, records });
    if (contents === undefined) continue;
    move(call, contents, out, {
      progress: (moved) => progress.at(moved),
      onDamage: (error) => damage.leaveOut(error, from),
    });
    progress.add(entry.sizeInBytes);
    out.hole(tarPadding(entry.sizeInBytes));
  }
  out.hole(tarEnd(out.position));
  out.flush();
}
