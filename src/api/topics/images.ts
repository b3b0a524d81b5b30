/**
 * Image files on the host. They need no launch, and do not belong to any handle.
 */
import { gives, hostPath, int64, optional, string, topic } from '../action.js';

const image = hostPath('filename', 'path of the image on the host');

export const images = topic('Image files', () => ({
  disk_create: {
    args: [
      image,
      string('format', 'format of the image: `raw` or `qcow2`'),
      int64('size', 'size of the disk in bytes; -1 for that of the backing file'),
    ],
    options: {
      backingfile: optional.string('for `qcow2`: image whose contents show through'),
      backingformat: optional.string('for `qcow2`: format of the backing file; give it always'),
      preallocation: optional.string(
        'space to take at once: `off` (the default), for `raw` also `sparse` (the same) or `full`, for `qcow2` also `metadata` or `full`',
      ),
      compat: optional.string('for `qcow2`: version of the format, `0.10` or `1.1`'),
      clustersize: optional.int('for `qcow2`: bytes of a cluster, a power of two from 512 to 2097152'),
    },
    result: gives.nothing,
    since: '1.25.31',
    by: 'handle',
    reads: true,
    short: 'make an empty disk image',
    help: 'Writes a new image `filename` on the host; a file of that name is replaced. `size` is in bytes, or -1 to take that of the backing file.\n\nFor `raw` there is the option `preallocation`: `off` or `sparse` (the default) takes no space on the host, `full` takes it all at once. For `qcow2`: `backingfile` with its `backingformat` (give it always), `preallocation` (`off`, `metadata`, `full`), `compat` (`0.10` or `1.1`) and `clustersize` in bytes, a power of two from 512 to 2097152.',
  },
  disk_format: {
    args: [image],
    result: gives.string,
    since: '1.19.38',
    by: 'handle',
    reads: true,
    short: 'detect the format of an image',
    help: 'Gives `raw`, `qcow2`, `vmdk` and so on, or `unknown`. What is no other format is taken for `raw`, so an answer about a file from somebody else is only a guess: such a person can make a raw disk look like anything.',
  },
  disk_virtual_size: {
    args: [image],
    result: gives.int64,
    since: '1.19.39',
    by: 'handle',
    reads: true,
    short: 'give the size of the disk in an image',
    help: 'The size in bytes that the guest sees, not the size of the file. The format is detected; see the warning at `disk_format`.',
  },
  disk_has_backing_file: {
    args: [image],
    result: gives.bool,
    since: '1.19.39',
    by: 'handle',
    reads: true,
    short: 'tell whether an image depends on another',
    help: 'True if the image names a backing file, without which it cannot be read. Neither whether that file exists nor whether it has one of its own is looked at.',
  },
}));
