/** Runs the steps of copying to a host (formats/host-steps.ts) one after the other, without blocking the thread. */
import { close, constants, fchmod, fchown, futimes, open, write } from 'node:fs';
import { chmod, copyFile, lchown, link, lstat, lutimes, mkdir, symlink, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { decodeText, hostError } from '../../base/index.js';
import type {
  HostAnswer,
  HostEntry,
  HostPathBytes,
  HostStep,
  HostSteps,
  OpenHostFile,
} from '../../formats/index.js';

// Plain descriptors, because the rules pass them on.
const onDescriptor = {
  open: promisify(open),
  close: promisify(close),
  chmod: promisify(fchmod),
  chown: promisify(fchown),
  utimes: promisify(futimes),
  write: promisify(write),
};

/** Node's functions take any bytes as a path, but their types only a Buffer. */
const onHost = (path: HostPathBytes): Buffer => Buffer.from(path.buffer, path.byteOffset, path.length);

async function look(path: HostPathBytes): Promise<HostEntry | undefined> {
  try {
    const stats = await lstat(onHost(path), { bigint: true });
    return { isDirectory: stats.isDirectory(), identity: `${stats.dev}/${stats.ino}` };
  } catch (thrown) {
    if (hostError('', thrown).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

async function perform(step: HostStep): Promise<HostAnswer> {
  const path = onHost(step.path);
  switch (step.do) {
    case 'lstat':
      return await look(step.path);
    case 'open':
      return await onDescriptor.open(path, newFile, step.mode);
    case 'mkdir':
      await mkdir(path, step.mode);
      return;
    case 'unlink':
      return await unlink(path);
    case 'close':
      return await onDescriptor.close(step.fd);
    case 'symlink':
      return await symlink(onHost(step.target), path);
    case 'link':
      return await link(onHost(step.from), path);
    case 'copyFile':
      return await copyFile(onHost(step.from), path, constants.COPYFILE_EXCL);
    case 'chown':
      return step.fd === undefined
        ? await lchown(path, step.uid, step.gid)
        : await onDescriptor.chown(step.fd, step.uid, step.gid);
    case 'chmod':
      return step.fd === undefined
        ? await chmod(path, step.mode)
        : await onDescriptor.chmod(step.fd, step.mode);
    case 'utimes':
      return step.fd === undefined
        ? await lutimes(path, step.accessedSeconds, step.modifiedSeconds)
        : await onDescriptor.utimes(step.fd, step.accessedSeconds, step.modifiedSeconds);
  }
}

/** Runs the steps and resolves to their result. Rejects with GuestfsError. */
export async function runSteps<T>(steps: HostSteps<T>): Promise<T> {
  for (let next = steps.next(); ; ) {
    if (next.done === true) return next.value;
    const step = next.value;
    let answer: HostAnswer;
    try {
      answer = await perform(step);
    } catch (thrown) {
      next = steps.throw(hostError(decodeText(step.path), thrown));
      continue;
    }
    next = steps.next(answer);
  }
}

/** Bytes that are collected before a write. */
const writeLength = 1024 * 1024;

/** Writes pieces to a file that the rules have opened, many pieces at a time. */
export class HostFileWriter {
  readonly file: OpenHostFile;
  #waiting: Uint8Array[] = [];
  #waitingLength = 0;

  constructor(file: OpenHostFile) {
    this.file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#waitingLength += bytes.length;
    if (this.#waitingLength >= writeLength) await this.flush();
  }

  async flush(): Promise<void> {
    const { fd, path } = this.file;
    const bytes = Buffer.concat(this.#waiting, this.#waitingLength);
    this.#waiting = [];
    this.#waitingLength = 0;
    try {
      for (let at = 0; at < bytes.length; )
        at += (await onDescriptor.write(fd, bytes, at, bytes.length - at)).bytesWritten;
    } catch (thrown) {
      throw hostError(decodeText(path), thrown);
    }
  }
}
