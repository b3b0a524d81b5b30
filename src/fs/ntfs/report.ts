/** What the programs of ntfs-3g tell: ntfs-3g.probe, and ntfscat of a file that no path leads to. */
import { systemError } from '../../base/index.js';
import { type Disk, OverlayDisk } from '../../disk/index.js';
import { type FileSystem, type InodeNumber, isDamage } from '../driver.js';
import { NtfsFileSystem } from './filesystem.js';
import { openNtfs } from './open.js';
import { probeNtfs } from './probe.js';
import { fileName, numberOf } from './record.js';
import { volumeState } from './state.js';

/** The statuses of ntfs-3g.probe(8). */
const statuses = { ok: 0, notNtfs: 12, corrupt: 13, hibernated: 14, unclean: 15 } as const;

/** Whether ntfs-3g would mount the filesystem on a disk, as the status of ntfs-3g.probe. */
export function ntfsStatus(disk: Disk, forWriting: boolean): number {
  if (probeNtfs(disk) === undefined) return statuses.notNtfs;
  try {
    // safe: openNtfs makes one
    const { volume } = openNtfs(disk, { overlay: (base) => new OverlayDisk(base) }) as NtfsFileSystem;
    const state = forWriting ? volumeState(volume) : 'clean';
    return state === 'clean' ? statuses.ok : statuses[state];
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown;
    return statuses.corrupt;
  }
}

/** The stream without a name of a file, as it is stored where a reparse point would tell more; undefined off NTFS. */
export function ntfsContents(fileSystem: FileSystem, number: InodeNumber): Disk | undefined {
  if (!(fileSystem instanceof NtfsFileSystem)) return undefined;
  const { volume } = fileSystem;
  const { data } = volume.inode(number);
  if (data === undefined) throw systemError('ENOENT', `${fileName(numberOf(number))}: contents`);
  return volume.open(data);
}
