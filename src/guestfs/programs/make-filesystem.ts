/** A new image with a filesystem, made of directories and archives of the host. */
import { resolve } from 'node:path';
import type {
  CallControls,
  FilesystemRequest,
  HostPath,
  MadeFilesystem,
  NewFilesystemType,
} from '../../api/index.js';
import { Guestfs, type GuestfsOptions } from '../guestfs.js';
import { hostTask, runHostTask } from './host-task.js';

/** What is made, and of which kind. */
export interface MakeFilesystemOptions extends Omit<GuestfsOptions, 'backend'>, CallControls {
  /** Default: `ext4`. */
  readonly type?: NewFilesystemType | undefined;
  /** Of the image. Default: `raw`. */
  readonly format?: 'raw' | 'qcow2' | undefined;
  /** At most 16 bytes; of `vfat` eleven characters. */
  readonly label?: string | undefined;
  /** The table whose last partition the filesystem is. Default: none, the filesystem is the whole disk. */
  readonly partition?: 'gpt' | 'mbr' | undefined;
  /** Sources of an EFI system partition, the first one of the table: FAT32 with at least 64 MiB. */
  readonly efi?: HostPath | readonly HostPath[] | undefined;
  /** Free space beside the content, in bytes. Default: 0. */
  readonly freeInBytes?: number | undefined;
}

/**
 * Makes an image with a filesystem that holds what `sources` hold: directories, tar archives, plain or in gzip, zstd or
 * xz, and images of containers (OCI layouts, `docker save`). Later ones go over earlier ones. Owners, modes, times,
 * links, devices, attributes and access lists are those of the archives; of directories, attributes are not read.
 * The size is what the content takes, and `freeInBytes`. FAT keeps names, contents and times: a file with several names
 * is several files there, and what else is no file or directory is left out with a warning.
 *
 *     await makeFilesystem(['rootfs.tar.zst'], 'root.img', { label: 'root', freeInBytes: 1 << 30 });
 *     await makeFilesystem('rootfs.tar', 'vm.qcow2', { format: 'qcow2', partition: 'gpt', efi: 'efi/' });
 *
 * The same content with the same options gives the same bytes: nothing comes from the clock or from chance. Blocks of
 * zeroes become holes. An image that is there is replaced once the new one is whole; what fails
 * leaves what was there. Rejects with the host's errors, EINVAL
 * for a source that is no archive, EIO for a damaged one, and ENOSPC where the host has no room.
 */
export async function makeFilesystem(
  sources: HostPath | readonly HostPath[],
  image: HostPath,
  options: MakeFilesystemOptions = {},
): Promise<MadeFilesystem> {
  const {
    type = 'ext4',
    format = 'raw',
    label,
    partition,
    efi,
    freeInBytes = 0,
    signal,
    onProgress,
    ...rest
  } = options;
  const paths = (given: HostPath | readonly HostPath[]): string[] =>
    (typeof given === 'string' ? [given] : given).map((source) => resolve(source));
  const all = paths(sources);
  if (all.length === 0) throw new TypeError('makeFilesystem: there is no source');
  if (!(Number.isSafeInteger(freeInBytes) && freeInBytes >= 0))
    throw new RangeError(`makeFilesystem: freeInBytes must be a whole number of bytes, not ${freeInBytes}`);
  if (efi !== undefined && partition === undefined)
    throw new TypeError('makeFilesystem: an EFI system partition wants a partition table');
  const request: FilesystemRequest = {
    sources: all,
    image: resolve(image),
    format,
    type,
    freeInBytes,
    ...(label === undefined ? {} : { label }),
    ...(partition === undefined ? {} : { partition }),
    ...(efi === undefined ? {} : { efi: paths(efi) }),
  };
  const controls = { signal, onProgress };
  return await runHostTask(new Guestfs({ ...rest, backend: 'embedded' }), controls, (g) =>
    g[hostTask]('internal_make_filesystem', request, controls),
  );
}
