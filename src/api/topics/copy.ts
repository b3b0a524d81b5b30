/**
 * Copying and moving within the guest, between files and devices.
 */
import { device, devOrPathname, gives, int64, optional, pathname, topic } from '../action.js';

const source = pathname('src', 'what to copy');
const target = pathname('dest', 'path of the copy, or a directory for it');
const srcoffset = optional.int64('where to begin to read, in bytes; 0 by default');
const destoffset = optional.int64('where to begin to write, in bytes; 0 by default');
const size = optional.int64(
  'how many bytes; all to the end of the source by default. A source that has not that many is an error',
);
const sparse = optional.bool(
  'leave holes for blocks of zeroes; only right where the destination reads as zeroes there',
);
const append = optional.bool('keep the destination, and write after its end');
const targetDevice = device('dest', 'device to copy to');
const sourceDevice = device('src', 'device to copy from');
const sourceEither = devOrPathname('src', 'file or device to copy from');
const targetEither = devOrPathname('dest', 'file or device to copy to');

export const copy = topic('Copying inside the guest', () => ({
  cp: {
    args: [source, target],
    result: gives.nothing,
    proc: 87,
    since: '1.0.18',
    short: 'copy a file within the guest',
    help: 'Copies the contents of `src`, following symbolic links, to `dest`, which may also be a directory to put it into. Use `cp_a` to keep owner, permissions and times.',
  },
  cp_a: {
    args: [source, target],
    result: gives.nothing,
    proc: 88,
    since: '1.0.18',
    short: 'copy a file or a tree within the guest, keeping everything',
    help: 'Copies `src`, with everything below it if it is a directory, to `dest`. Owners, permissions, times, links and extended attributes are kept.',
  },
  cp_r: {
    args: [source, target],
    result: gives.nothing,
    proc: 401,
    since: '1.21.38',
    short: 'copy a tree within the guest',
    help: 'Copies `src`, with everything below it if it is a directory, to `dest`. Owners and times are not kept: see `cp_a`.',
  },
  mv: {
    args: [pathname('src', 'what to move'), pathname('dest', 'the new path, or a directory for it')],
    result: gives.nothing,
    proc: 89,
    since: '1.0.18',
    short: 'move a file or a directory within the guest',
    help: 'Works between filesystems too, by copying and removing. `dest` may also be a directory to put it into; a file there is replaced. See `rename`.',
  },
  rename: {
    args: [pathname('oldpath', 'the path as it is'), pathname('newpath', 'the new path')],
    result: gives.nothing,
    proc: 394,
    since: '1.21.5',
    short: 'give a file or a directory a new path on its filesystem',
    help: 'Replaces what is at `newpath` in one step, so that nobody sees a state between. Between two filesystems it fails with EXDEV: use `mv`.',
  },
  copy_file_to_file: {
    args: [pathname('src', 'file to copy from'), pathname('dest', 'file to copy to')],
    options: { srcoffset, destoffset, size, sparse, append },
    result: gives.nothing,
    proc: 297,
    since: '1.13.25',
    progress: true,
    short: 'copy a file, or a part of it, to a file in the guest',
    help: 'Copies from `src` to `dest`, which is made if it does not exist.',
  },
  copy_file_to_device: {
    args: [pathname('src', 'file to copy from'), targetDevice],
    options: { srcoffset, destoffset, size, sparse, append },
    result: gives.nothing,
    proc: 296,
    since: '1.13.25',
    progress: true,
    short: 'copy a file, or a part of it, to a device',
    help: 'Copies from the file `src` to the device `dest`, with the options of `copy_file_to_file`. It is an error if the device is too small.',
  },
  copy_device_to_file: {
    args: [sourceDevice, pathname('dest', 'file to copy to')],
    options: { srcoffset, destoffset, size, sparse, append },
    result: gives.nothing,
    proc: 295,
    since: '1.13.25',
    progress: true,
    short: 'copy a device, or a part of it, to a file in the guest',
    help: 'Copies from the device `src` to the file `dest`, which is made if it does not exist, with the options of `copy_file_to_file`.',
  },
  copy_device_to_device: {
    args: [sourceDevice, targetDevice],
    options: { srcoffset, destoffset, size, sparse, append },
    result: gives.nothing,
    proc: 294,
    since: '1.13.25',
    progress: true,
    short: 'copy a device, or a part of it, to a device',
    help: 'Copies from `src` to `dest`, with the options of `copy_file_to_file`. It is an error if `dest` is too small.',
  },
  copy_size: {
    args: [sourceEither, targetEither, int64('size', 'how many bytes')],
    result: gives.nothing,
    proc: 227,
    since: '1.0.87',
    progress: true,
    deprecatedBy: 'copy_device_to_device',
    short: 'copy so many bytes between files or devices',
    help: 'Copies the first `size` bytes of `src` to `dest`. Use `copy_device_to_device` and its kin with the option `size`.',
  },
  dd: {
    args: [sourceEither, targetEither],
    result: gives.nothing,
    proc: 217,
    since: '1.0.80',
    deprecatedBy: 'copy_device_to_device',
    short: 'copy all bytes between files or devices',
    help: 'Copies all of `src` over `dest`, which is an error if `dest` is smaller. Use `copy_device_to_device` and its kin, which can do more and report progress.',
  },
}));
