/**
 * Checksums, and whether two files are equal.
 */
import { device, fileOut, gives, pathname, string, topic } from '../action.js';

const checksumType = string('csumtype', 'type of the checksum: `md5`, `sha256` and others');

export const checksums = topic('Checksums', () => ({
  checksum: {
    args: [checksumType, pathname('path', 'path of the file')],
    result: gives.string,
    proc: 68,
    since: '1.0.2',
    reads: true,
    short: 'compute the checksum of a file',
    help: '`csumtype` is `crc` (the one of POSIX cksum), `md5`, `sha1`, `sha224`, `sha256`, `sha384`, `sha512`, and on the appliances of later libguestfs `gost` and `gost12`. Gives it in hexadecimal, except for `crc`, which is decimal. Another type is an error with the code EINVAL.',
  },
  checksum_device: {
    args: [checksumType, device('device', 'a disk, partition or volume')],
    result: gives.string,
    proc: 237,
    since: '1.3.2',
    reads: true,
    short: 'compute the checksum of all that is on a device',
    help: 'Reads the whole device, to the last byte. The types are those of `checksum`.',
  },
  checksums_out: {
    args: [
      checksumType,
      pathname('directory', 'directory to begin at'),
      fileOut('sumsfile', 'path or stream on the host that takes the lines'),
    ],
    result: gives.nothing,
    proc: 244,
    since: '1.3.7',
    cancellable: true,
    reads: true,
    short: 'write the checksums of all files below a directory to a file',
    help: 'Writes one line for each plain file below `directory` to `sumsfile` on the host, in the form that `sha256sum -c` and its kin can check. The types are those of `checksum`. Files that are damaged are left out, with a warning each; when all others are there, the call fails with a PartialError.',
  },
  equal: {
    args: [pathname('file1', 'path of one file'), pathname('file2', 'path of the other file')],
    result: gives.bool,
    proc: 93,
    since: '1.0.18',
    reads: true,
    short: 'tell whether two files have the same contents',
    help: 'Compares byte by byte and stops at the first difference. Names, times and owners do not matter.',
  },
}));
