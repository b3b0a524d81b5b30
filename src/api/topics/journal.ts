/**
 * The journal of systemd: a log in binary files.
 *
 * One journal is open at a time, at one entry.
 */
import { gives, int64, pathname, topic } from '../action.js';

export const journal = topic('Journal', () => ({
  journal_open: {
    args: [pathname('directory', 'directory with the files of the journal')],
    result: gives.nothing,
    proc: 404,
    since: '1.23.11',
    group: 'journal',
    reads: true,
    short: 'open the journal in a directory',
    help: 'Mostly the directory below `/var/log/journal` that is named after the machine. It stands before the first entry: call `journal_next`.',
  },
  journal_close: {
    args: [],
    result: gives.nothing,
    proc: 405,
    since: '1.23.11',
    group: 'journal',
    reads: true,
    short: 'close the journal',
    help: 'An error if none is open.',
  },
  journal_next: {
    args: [],
    result: gives.bool,
    proc: 406,
    since: '1.23.11',
    group: 'journal',
    reads: true,
    short: 'go to the next entry',
    help: 'True if there is one, false at the end.',
  },
  journal_skip: {
    args: [int64('skip', 'how many entries; a negative number for backwards')],
    result: gives.int64,
    proc: 407,
    since: '1.23.11',
    group: 'journal',
    reads: true,
    short: 'go forwards or backwards by many entries',
    help: 'Backwards if `skip` is negative. Gives by how many it went, fewer at either end; 0 goes nowhere.',
  },
  journal_get: {
    args: [],
    result: gives.structs('xattr'),
    since: '1.23.11',
    group: 'journal',
    reads: true,
    short: 'give the fields of the entry',
    help: 'Gives names, such as `MESSAGE` and `_SYSTEMD_UNIT`, and values as bytes. A field can be there more than once.',
  },
  journal_get_realtime_usec: {
    args: [],
    result: gives.int64,
    proc: 420,
    since: '1.27.18',
    group: 'journal',
    reads: true,
    short: 'give the time of the entry',
    help: 'In microseconds since 1970, by the clock of the machine that wrote it.',
  },
  journal_get_data_threshold: {
    args: [],
    result: gives.int64,
    proc: 409,
    since: '1.23.11',
    group: 'journal',
    reads: true,
    short: 'tell after how many bytes fields are cut off',
    help: '0 for never; 65536 unless it was set.',
  },
  journal_set_data_threshold: {
    args: [int64('threshold', 'bytes; 0 for no limit')],
    result: gives.nothing,
    proc: 410,
    since: '1.23.11',
    group: 'journal',
    reads: true,
    short: 'set after how many bytes fields are cut off',
    help: 'A field that is longer than `threshold` bytes may be given only up to there; 0 gives all in full. It lasts until the journal is closed.',
  },
}));
