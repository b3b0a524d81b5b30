/** Images and archives that are files of the guest: filesystems of all kinds, and initrds. */

import type { Structs } from '../../api/index.js';
import { CorruptError, GuestfsError, systemError, typeOfMode } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { CpioEntry } from '../../formats/index.js';
import { isoDetails } from '../../fs/index.js';
import { initrdEntries, TreeWriter } from '../../vfs/index.js';
import { contentsOf, fileContents } from '../session/contents.js';
import { openFileSystemOn } from '../session/open-filesystems.js';
import { plainCall } from '../session/session-calls.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';
import { treeWriter } from './writing/writer.js';

function isoInfo(disk: Disk): Structs['isoinfo'] {
  const details = isoDetails(disk);
  return {
    isoSystemId: details.systemId,
    isoVolumeId: details.volumeId,
    isoVolumeSpaceSize: details.volumeSpaceSize,
    isoVolumeSetSize: details.volumeSetSize,
    isoVolumeSequenceNumber: details.volumeSequenceNumber,
    isoLogicalBlockSize: details.logicalBlockSize,
    isoVolumeSetId: details.volumeSetId,
    isoPublisherId: details.publisherId,
    isoDataPreparerId: details.dataPreparerId,
    isoApplicationId: details.applicationId,
    isoCopyrightFileId: details.copyrightFileId,
    isoAbstractFileId: details.abstractFileId,
    isoBibliographicFileId: details.bibliographicFileId,
    isoVolumeCreationT: details.creation,
    isoVolumeModificationT: details.modification,
    isoVolumeExpirationT: details.expiration,
    isoVolumeEffectiveT: details.effective,
  };
}

function* entries(call: Call, path: string): Generator<CpioEntry, void> {
  const disk = fileContents(call, path);
  if (disk.size === 0) throw new CorruptError('initrd', 'is empty', {});
  for (const entry of initrdEntries(disk, path)) {
    call.checkpoint();
    yield entry;
  }
}

const isRegular = ({ mode }: CpioEntry): boolean => typeOfMode(mode) === 'file';
const bare = (name: string): string => name.replace(/^(?:\.?\/)+/, '');

/** A file in an initrd. If several entries have the name, the last one counts, as in unpacking. */
function initrdFile(call: Call, path: string, name: string): Uint8Array {
  const wanted = bare(name);
  const regular: CpioEntry[] = [];
  let found: CpioEntry | undefined;
  for (const entry of entries(call, path)) {
    if (isRegular(entry) && entry.linkCount > 1) regular.push(entry);
    if (bare(entry.name) === wanted) found = entry;
  }
  if (found === undefined) throw systemError('ENOENT', `${path}: ${name}`, { path });
  if (typeOfMode(found.mode) === 'directory') throw systemError('EISDIR', `${path}: ${name}`, { path });
  if (!isRegular(found)) throw new GuestfsError('EINVAL', `${path}: ${name}: not a regular file`);
  const { inode, linkCount, sizeInBytes } = found;
  // The last entry of a file with several names has the contents.
  const holder =
    linkCount > 1 && sizeInBytes === 0
      ? regular.findLast((entry) => entry.inode === inode && entry.sizeInBytes > 0)
      : undefined;
  return (holder ?? found).contents();
}

export const imageInsideHandlers = {
  /**
   * The file's contents as a filesystem, as through a loop device: its name in `mounts` is `/dev/loop0` and so on.
   */
  mount_loop(call, file, mountpoint) {
    const { session } = call;
    const place = session.tree.resolve(file);
    const holder = place.mount;
    const context = { tmpdir: session.config.tmpdir, warn: (message: string) => session.warn(message) };
    const { fileSystem, release } = session.fileSystems.openInFile((writable) => {
      // A file that is held stays as long as the filesystem in it is mounted, also without its name.
      const held = writable ? treeWriter(call).openPlace(place, file).contents : undefined;
      try {
        const opened = openFileSystemOn(held ?? contentsOf(place, file), file, context, { writable });
        return held === undefined ? opened : { ...opened, layers: [...opened.layers, held] };
      } catch (thrown) {
        held?.close();
        throw thrown;
      }
    }, TreeWriter.writes(place));
    try {
      const taken = new Set(session.mounts.mounts().map(({ source }) => source));
      let number = 0;
      while (taken.has(`/dev/loop${number}`)) number++;
      const source = `/dev/loop${number}`;
      const made = session.mounts.mount(fileSystem, {
        source,
        mountpoint,
        readonly: !TreeWriter.writes(place),
        holder,
        release,
      });
      session.calls.record('mounts', [made], plainCall('mount_loop', file, made.mountpoint));
    } catch (thrown) {
      release();
      throw thrown;
    }
  },
  isoinfo: (call, path) => isoInfo(fileContents(call, path)),
  isoinfo_device: (call, name) => isoInfo(call.session.devices.resolve(name).disk),
  initrd_list: (call, path) => [...entries(call, path)].map(({ name }) => name),
  initrd_cat: (call, path, name) => initrdFile(call, path, name),
} satisfies TopicHandlers;
