/**
 * Loaded into a process before all else, and into its threads (`NODE_OPTIONS=--import=…`): the host fails at one of the
 * writes and barriers of one file. The file of FAILING_WRITES says at which, and anew each time that it changes.
 */

/**
 * Loaded into a process before all else, and into its threads (`NODE_OPTIONS=--import=…`): the host fails at one of the
 * writes and barriers of one file. The file of FAILING_WRITES says at which, and anew each time that it changes.
 */
import fs, { closeSync, fstatSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { HostError } from '../../support/recording-disk.js';

export interface FailingWrites {
  /** Differs each time. */
  readonly id: number;
  readonly path: string;
  /** Which of the writes and barriers fails, from 0. */
  readonly at: number;
  readonly code: HostError;
}

const errno = { EIO: 5, ENOSPC: 28 } as const;
const control = process.env.FAILING_WRITES ?? '';
const [write, flush] = [writeSync, fs.fsyncSync];
let id = -1;
let left = 0;

/** Throws where it is this one's turn. */
function count(fd: number, syscall: string): void {
  const wanted = JSON.parse(readFileSync(control, 'utf8')) as FailingWrites;
  if (wanted.id < 0 || fstatSync(fd).ino !== statSync(wanted.path).ino) return;
  if (wanted.id !== id) {
    id = wanted.id;
    left = wanted.at;
  }
  if (left-- !== 0) return;
  const done = openSync(`${control}.done`, 'a');
  write(done, `${id}\n`);
  closeSync(done);
  const { code } = wanted;
  throw Object.assign(new Error(`${code}: the host, ${syscall}`), { code, errno: -errno[code], syscall });
}

if (control !== '') {
  fs.writeSync = ((fd: number, ...rest: unknown[]) => {
    count(fd, 'write');
    return (write as (...all: unknown[]) => number)(fd, ...rest);
  }) as typeof writeSync;
  fs.fsyncSync = (fd) => {
    count(fd, 'fsync');
    flush(fd);
  };
  syncBuiltinESMExports();
}
