/** Files of the host: their sizes, and files and trees that appear complete or not at all. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeText, hostError, PartialError } from '../../base/index.js';
import { exitStatus, Failure } from '../command/failure.js';
import { begin } from './partial-output.js';

/** A path for system calls, as bytes, so that a name that is not UTF-8 stays as in the guest. */
function hostPath(path: string): Buffer {
  return Buffer.from(encodeText(path));
}

/** The length of a file in bytes, and the bytes that it takes on disk, which are fewer if it has holes. */
export function hostSizes(path: string): { sizeInBytes: number; usedInBytes: number } {
  const { size, blocks } = statSync(path);
  return { sizeInBytes: size, usedInBytes: blocks * 512 };
}

/** Whether a path, links followed, is a directory. */
export function isHostDirectory(path: string): boolean {
  return statSync(hostPath(path), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Does something with files of this machine. Throws a HostError about `path`, which the user has named. */
function onHost<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw hostError(path, thrown);
  }
}

/**
 * Throws unless something can be made at a path: its directory must exist, and this user must be allowed to write to
 * it.
 */
export function requireParent(path: string): void {
  const parent = dirname(path);
  if (!isHostDirectory(parent))
    throw new Failure(
      `${path}: there is no directory ${parent} on this machine`,
      exitStatus.failure,
      existsSync(parent) ? undefined : `mkdir -p ${parent}`,
    );
  onHost(parent, () => accessSync(hostPath(parent), constants.W_OK | constants.X_OK));
}

/** Whether a path exists and is neither a regular file nor a directory. A device or a pipe is written to directly. */
function isSpecial(path: string): boolean {
  const status = statSync(hostPath(path), { throwIfNoEntry: false });
  return status !== undefined && !status.isFile() && !status.isDirectory();
}

/** Waits for work. Resolves to the error if the work delivered all that could be read. */
export async function unlessPartial(work: Promise<void>): Promise<PartialError | undefined> {
  try {
    await work;
    return undefined;
  } catch (thrown) {
    if (thrown instanceof PartialError) return thrown;
    throw thrown;
  }
}

/** Throws the system's error unless the file at a path, or the target of a link there, can be written. */
function requireWritable(path: string): void {
  if (existsSync(hostPath(path))) accessSync(hostPath(path), constants.W_OK);
  else closeSync(openSync(hostPath(path), 'a'));
}

/** Numbers the temporary names of unfinished files. */
let filesMade = 0;

/**
 * Makes a file by `work`, which writes to the path that it is given. The file gets its own name only after `work` has
 * succeeded, and replaces an earlier file only then. A link is followed: its target is replaced.
 */
export async function makeFile(path: string, work: (path: string) => Promise<void>): Promise<void> {
  requireParent(path);
  const there = lstatSync(hostPath(path), { throwIfNoEntry: false });
  // The target of a link, a device or a pipe cannot be replaced by renaming.
  if (isSpecial(path) || there?.isSymbolicLink()) {
    onHost(path, () => requireWritable(path));
    return await work(path);
  }
  if (there?.isDirectory()) throw new Failure(`${path}: is a directory on this machine`);
  const temporary = join(dirname(path), `.guestfs-${process.pid}-${filesMade++}`);
  const done = begin(temporary);
  try {
    // Created here, so that an error of the host is not taken for an error of the guest's file.
    onHost(path, () => closeSync(openSync(temporary, 'wx')));
    const partial = await unlessPartial(work(temporary));
    if (there?.isFile()) chmodSync(temporary, there.mode & 0o7777);
    onHost(path, () => renameSync(temporary, hostPath(path)));
    if (partial !== undefined) throw partial;
  } catch (thrown) {
    // The engine removes its file when a call fails. A file that is still there was complete but could not be
    // renamed.
    if (existsSync(temporary)) unlinkSync(temporary);
    throw thrown;
  } finally {
    done();
  }
}

/** A guest's directory may forbid its owner to write. A plain user can then neither rename nor remove it. */
function makeWritable(directory: Buffer): void {
  chmodSync(directory, 0o700);
  for (const entry of readdirSync(directory, { withFileTypes: true, encoding: 'buffer' }))
    if (entry.isDirectory()) makeWritable(Buffer.concat([directory, Buffer.from('/'), entry.name]));
}

/** Removes a tree that was only begun. */
function removeTree(path: string): void {
  if (process.getuid?.() !== 0) makeWritable(hostPath(path));
  rmSync(path, { recursive: true, force: true });
}

/**
 * Makes a directory, or a link, by `work`. `work` gets an empty directory beside the place and returns the entry in
 * it, or the directory itself, that is to become `path`; it also returns the error if the copy is incomplete. An
 * existing directory at `path` must be empty.
 */
export async function makeTree(
  path: string,
  work: (scratch: string) => Promise<{ made: string; partial: PartialError | undefined }>,
): Promise<void> {
  requireParent(path);
  if (lstatSync(hostPath(path), { throwIfNoEntry: false })?.isDirectory() === false)
    throw new Failure(`${path}: is there on this machine, and is no directory`);
  const scratch = onHost(dirname(path), () => mkdtempSync(join(dirname(path), '.guestfs-')));
  const done = begin(scratch);
  try {
    const { made, partial } = await work(scratch);
    if (made === scratch) chmodSync(scratch, 0o777 & ~process.umask());
    const status = lstatSync(hostPath(made));
    // A plain user can rename a directory only if it is writable, because its entry `..` changes.
    const isLocked = status.isDirectory() && (status.mode & 0o200) === 0;
    if (isLocked) chmodSync(hostPath(made), status.mode | 0o200);
    onHost(path, () => renameSync(hostPath(made), hostPath(path)));
    if (isLocked) chmodSync(hostPath(path), status.mode & 0o7777);
    if (partial !== undefined) throw partial;
  } finally {
    if (existsSync(scratch)) removeTree(scratch);
    done();
  }
}
