/** Opens a filesystem: the boot sector, the table of files, the volume's flags, and the root. */
import { CorruptError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { type FileSystem, heeding, type OpenOptions } from '../driver.js';
import { readGeometry } from './boot.js';
import { NtfsFileSystem } from './filesystem.js';
import { fileNumbers, volumeFlags } from './layout.js';
import { parseMountOptions } from './options.js';
import { volumeState } from './state.js';
import { NtfsVolume } from './volume.js';

export function openNtfs(disk: Disk, options: OpenOptions): FileSystem {
  const chosen = parseMountOptions(options);
  const warn = options.warn ?? (() => {});
  const volume = new NtfsVolume(disk, readGeometry(disk), { warn, caseSensitive: chosen.caseSensitive });
  if (!volume.inode(fileNumbers.root).isDirectory)
    throw new CorruptError('NTFS root directory', 'is no directory');
  warnOfState(volume);
  return new NtfsFileSystem(volume, chosen);
}

/** Says what may be out of date: nothing is replayed. */
function warnOfState(volume: NtfsVolume): void {
  const { warn } = volume;
  const state = heeding(
    ({ message }) => warn(`NTFS: whether Windows was done with the filesystem is not known: ${message}`),
    () => volumeState(volume),
  );
  if (state === 'hibernated')
    warn('NTFS: Windows is hibernated, or was shut down for a fast start: files may be out of date');
  else if (state === 'unclean')
    warn('NTFS: Windows did not finish writing to the filesystem: files may be out of date');
  else if ((volume.information().flags & volumeFlags.dirty) !== 0)
    warn('NTFS: the filesystem is marked to be checked by Windows: files may be damaged');
}
