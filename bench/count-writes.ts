/**
 * Loaded before a program, in each of its threads: counts what it does to files of the host. Each write and each
 * barrier is a byte of a file in the directory that GUESTFS_BENCH_COUNTS names.
 */
import fs from 'node:fs';
import { join } from 'node:path';

const directory = process.env.GUESTFS_BENCH_COUNTS ?? '.';
const { appendFileSync } = fs;
let isCounting = true;

function count<Arguments extends unknown[], Result>(
  name: string,
  work: (...args: Arguments) => Result,
): (...args: Arguments) => Result {
  return (...args) => {
    // To append is a write, too.
    if (isCounting) {
      isCounting = false;
      appendFileSync(join(directory, name), '.');
      isCounting = true;
    }
    return work(...args);
  };
}

fs.writeSync = count('writes', fs.writeSync as (...args: unknown[]) => number) as typeof fs.writeSync;
fs.fsyncSync = count('barriers', fs.fsyncSync);
fs.fdatasyncSync = count('barriers', fs.fdatasyncSync);
