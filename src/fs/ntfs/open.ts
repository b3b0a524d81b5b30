/** Opens a filesystem: the boot sector, the table of files, the volume's flags, and the root. */
import { CorruptError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { FileSystem, OpenOptions } from '../driver.js';
import { readGeometry } from './boot.js';
import { NtfsFileSystem } from './filesystem.js';
import { fileNumbers, volumeFlags } from './layout.js';
import { parseMountOptions } from './options.js';
import { NtfsVolume } from './volume.js';

export function openNtfs(disk: Disk, options: OpenOptions): FileSystem {
  const chosen = parseMountOptions(options);
  const warn = options.warn ?? (() => {});
  const volume = new NtfsVolume(disk, readGeometry(disk), { warn, caseSensitive: chosen.caseSensitive });
  if ((volume.information().flags & volumeFlags.dirty) !== 0)
    warn(
      'NTFS: the filesystem is marked as dirty: Windows did not finish writing to it, so files may be out of date',
    );
  if (!volume.inode(fileNumbers.root).isDirectory)
    throw new CorruptError('NTFS root directory', 'is no directory');
  return new NtfsFileSystem(volume, chosen);
}
