/** Runs the steps of copying to a host (formats/host-steps.ts), one after the other. */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { decodeText, hostError } from '../../base/index.js';
import type { HostAnswer, HostEntry, HostPathBytes, HostStep, HostSteps } from '../../formats/index.js';

/** Node's functions take any bytes as a path, but their types only a Buffer. */
const onHost = (path: HostPathBytes): Buffer => Buffer.from(path.buffer, path.byteOffset, path.length);

function look(path: HostPathBytes): HostEntry | undefined {
  const stats = lstatSync(onHost(path), { bigint: true, throwIfNoEntry: false });
  return stats === undefined
    ? undefined
    : { isDirectory: stats.isDirectory(), identity: `${stats.dev}/${stats.ino}` };
}

const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

function perform(step: HostStep): HostAnswer {
  const path = onHost(step.path);
  switch (step.do) {
    case 'lstat':
      return look(step.path);
    case 'open':
      return openSync(path, newFile, step.mode);
    case 'mkdir':
      mkdirSync(path, step.mode);
      return;
    case 'unlink':
      return unlinkSync(path);
    case 'close':
      return closeSync(step.fd);
    case 'symlink':
      return symlinkSync(onHost(step.target), path);
    case 'link':
      return linkSync(onHost(step.from), path);
    case 'copyFile':
      return copyFileSync(onHost(step.from), path, constants.COPYFILE_EXCL);
    case 'chown':
      return step.fd === undefined
        ? lchownSync(path, step.uid, step.gid)
        : fchownSync(step.fd, step.uid, step.gid);
    case 'chmod':
      return step.fd === undefined ? chmodSync(path, step.mode) : fchmodSync(step.fd, step.mode);
    case 'utimes':
      return step.fd === undefined
        ? lutimesSync(path, step.accessedSeconds, step.modifiedSeconds)
        : futimesSync(step.fd, step.accessedSeconds, step.modifiedSeconds);
  }
}

/** Steps that leave the host as it is. */
const looking: ReadonlySet<HostStep['do']> = new Set(['lstat', 'close']);

/**
 * Does what the rules want, and gives what they come to. `touch` is called before the host is changed. Throws
 * GuestfsError.
 */
export function runSteps<T>(steps: HostSteps<T>, touch: () => void): T {
  for (let next = steps.next(); ; ) {
    if (next.done === true) return next.value;
    const step = next.value;
    let answer: HostAnswer;
    if (!looking.has(step.do)) touch();
    try {
      answer = perform(step);
    } catch (thrown) {
      next = steps.throw(hostError(decodeText(step.path), thrown));
      continue;
    }
    next = steps.next(answer);
  }
}
