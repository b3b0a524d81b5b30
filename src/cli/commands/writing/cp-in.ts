/** `guestfs cp` into an image: from this machine, from another image, or within the image. */
import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { decodeText, hostError, typeOfMode } from '../../../base/index.js';
import { exitStatus, Failure, usageFailure } from '../../command/failure.js';
import { Invocation } from '../../command/invocation.js';
import {
  baseName,
  type Changes,
  changeGuest,
  makeAt,
  parentOf,
  placeFor,
  statusAt,
} from '../../guest/changing.js';
import { isDirectory, isRegularFile } from '../../guest/file-words.js';
import type { Guest } from '../../guest/guest.js';
import { isImageFile, readImageOperands, splitImageArgument } from '../../guest/image-argument.js';
import { withMountedGuest } from '../../guest/mounting.js';
import { copyPlainTree, hasLinks } from '../../guest/plain-tree.js';
import { copyExtendedAttributes, replaceFile, scratchName } from '../../guest/replace-file.js';
import { hostTar } from '../../host/host-tar.js';
import { standardInput } from './write.js';

/** Where copies go. */
export interface Inside {
  readonly image: string;
  readonly path: string;
}

/** What a new file gets. */
interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: readonly [seconds: number, nanoseconds: number];
}

const permissionBits = 0o7777;
const plainBits = 0o777;
/** As the shell's, and guestfsd's: others do not write. */
const umask = 0o022;

async function place(guest: Guest, destination: string, name: string): Promise<string> {
  const found = await placeFor(guest, destination, name);
  if (found === destination && destination.endsWith('/'))
    throw new Failure(
      `${destination}: is no directory in the guest`,
      exitStatus.notFound,
      `to make it: guestfs mkdir --rw -p ${guest.image}:${destination}`,
    );
  return found;
}

const isADirectory = (path: string): Failure =>
  new Failure(`${path}: is a directory`, exitStatus.failure, 'give -r to copy it with all that is in it');

/** Sets what is not as it shall be. A filesystem without owners and permissions, as FAT, has all of them already. */
async function setAttributes({ g, controls }: Guest, path: string, wanted: Attributes): Promise<void> {
  const now = await g.lstatns(path, controls);
  if (now.stUid !== wanted.uid || now.stGid !== wanted.gid)
    await g.chown(wanted.uid, wanted.gid, path, controls);
  if ((now.stMode & permissionBits) !== wanted.mode) await g.chmod(wanted.mode, path, controls);
  const [seconds, nanoseconds] = wanted.mtime;
  await g.utimens(path, seconds, nanoseconds, seconds, nanoseconds, controls);
}

/** Makes a directory at a path that `fill` fills; into one that is there it puts the files. */
async function placeTree(
  guest: Guest,
  path: string,
  fill: (directory: string, isNew: boolean) => Promise<void>,
): Promise<void> {
  const { g, controls } = guest;
  if (await g.isDir(path, { followsymlinks: true, ...controls })) return await fill(path, false);
  if (await g.exists(path, controls)) throw new Failure(`${path}: is there, and is no directory`);
  const scratch = scratchName(parentOf(path.replace(/\/+$/, '')));
  await makeAt(guest, path, () => g.mkdir(scratch, controls));
  try {
    await fill(scratch, true);
    await g.rename(scratch, path, controls);
  } catch (thrown) {
    if (g.state === 'ready') await g.rmRf(scratch);
    throw thrown;
  }
}

/** Makes a symbolic link at a path, in place of a file or a link. `ln -sf` would put it into a directory of that name. */
async function placeLink(guest: Guest, path: string, target: string): Promise<void> {
  const { g, controls } = guest;
  if (await g.isDir(path, controls))
    throw new Failure(`${path}: is a directory, whose place no link takes`, exitStatus.failure);
  const scratch = scratchName(parentOf(path.replace(/\/+$/, '')));
  await makeAt(guest, path, () => g.lnS(target, scratch, controls));
  try {
    await g.rename(scratch, path, controls);
  } catch (thrown) {
    if (g.state === 'ready') await g.rmF(scratch);
    throw thrown;
  }
}

async function copyFromHost(guest: Guest, source: string, destination: string): Promise<string> {
  const { g, invocation, controls } = guest;
  const { options } = invocation;
  const [isRecursive, isPreserving] = [options.flag('recursive'), options.flag('preserve')];
  if (source === '-') {
    await replaceFile(guest, destination, (temporary) =>
      invocation.withProgress(destination, 'bytes', (progress) =>
        g.upload(standardInput(), temporary, progress),
      ),
    );
    return destination;
  }
  let status: ReturnType<typeof statSync> & object;
  try {
    status = isRecursive ? lstatSync(source) : statSync(source);
  } catch (thrown) {
    throw hostError(source, thrown);
  }
  const type = typeOfMode(status.mode);
  if (type === 'directory' && !isRecursive) throw isADirectory(source);
  const target = await place(guest, destination, basename(resolve(source)));
  if (type === 'symlink') {
    await placeLink(guest, target, decodeText(readlinkSync(source, { encoding: 'buffer' })));
    return target;
  }
  if (type === 'directory') {
    await placeTree(guest, target, async (directory, isNew) => {
      const archive = hostTar(source, {
        keepsLinks: await hasLinks(guest, directory),
        keepsOwners: isPreserving,
        withTop: isNew,
        onLeftOut: (path, kind) => invocation.note(`${path}: is left out: it is a ${kind}`),
      });
      await invocation.withProgress(source, 'bytes', (progress) => g.tarIn(archive, directory, progress));
    });
    return target;
  }
  if (type !== 'file' && type !== 'fifo')
    throw new Failure(`${source}: a ${type} file is not copied`, exitStatus.notSupported);
  const attributes = isPreserving
    ? {
        mode: status.mode & permissionBits,
        uid: status.uid,
        gid: status.gid,
        mtime: [Math.floor(status.mtimeMs / 1000), Math.floor((status.mtimeMs % 1000) * 1e6)] as const,
      }
    : undefined;
  await replaceFile(
    guest,
    target,
    (temporary) =>
      invocation.withProgress(source, 'bytes', (progress) => g.upload(source, temporary, progress)),
    async (temporary, isNew) => {
      if (attributes !== undefined) return await setAttributes(guest, temporary, attributes);
      const mode = status.mode & plainBits & ~umask;
      // FAT gives all files the same permissions.
      if (isNew && mode !== (plainBits & ~umask & 0o666) && !(await isExecutable(guest, temporary)))
        await g.chmod(mode, temporary, controls);
    },
  );
  return target;
}

async function isExecutable({ g, controls }: Guest, path: string): Promise<boolean> {
  return ((await g.lstatns(path, controls)).stMode & 0o111) !== 0;
}

/** Where a tree goes: into itself where it is there, else beside it. */
async function directoryFor(guest: Guest, target: string): Promise<string> {
  const { g, controls } = guest;
  if (await g.isDir(target, { followsymlinks: true, ...controls })) return target;
  const parent = parentOf(target.replace(/\/+$/, ''));
  return await makeAt(guest, target, () => g.realpath(parent, controls));
}

async function copyFromGuest(
  from: Guest,
  guest: Guest,
  source: string,
  destination: string,
): Promise<string> {
  const { g, invocation, controls } = guest;
  const status = await statusAt(from, source, { link: invocation.options.flag('recursive') });
  if (isDirectory(status.stMode) && !invocation.options.flag('recursive')) throw isADirectory(source);
  const target = await place(guest, destination, baseName(source));
  if (isDirectory(status.stMode) && !(await hasLinks(guest, await directoryFor(guest, target)))) {
    await placeTree(guest, target, (directory) => copyPlainTree(from, source, guest, directory));
    return target;
  }
  if (from === guest && (isDirectory(status.stMode) || !isRegularFile(status.stMode))) {
    await makeAt(guest, target, () =>
      invocation.withProgress(source, 'bytes', (progress) => g.cpA(source, target, progress)),
    );
    return target;
  }
  if (isDirectory(status.stMode)) {
    await placeTree(guest, target, (directory) =>
      invocation.withProgress(source, 'bytes', (progress) =>
        g.tarIn(from.g.tarStream(source, { numericowner: true, xattrs: true }), directory, {
          xattrs: true,
          ...progress,
        }),
      ),
    );
    return target;
  }
  if (!isRegularFile(status.stMode)) {
    if (typeOfMode(status.stMode) !== 'symlink')
      throw new Failure(
        `${source}: a ${typeOfMode(status.stMode)} file is not copied`,
        exitStatus.notSupported,
      );
    await placeLink(guest, target, await from.g.readlink(source, controls));
    return target;
  }
  await replaceFile(
    guest,
    target,
    (temporary) =>
      invocation.withProgress(source, 'bytes', (progress) =>
        // A handle does one call at a time: a stream of its own would wait for the call that reads it.
        from === guest
          ? g.cp(source, temporary, progress)
          : g.upload(from.g.createReadStream(source), temporary, progress),
      ),
    async (temporary, isNew) => {
      if (!isNew) return;
      await setAttributes(guest, temporary, {
        mode: status.stMode & permissionBits,
        uid: status.stUid,
        gid: status.stGid,
        mtime: [status.stMtimeSec, status.stMtimeNsec],
      });
      await copyExtendedAttributes(from, source, guest, temporary);
    },
  );
  return target;
}

/** The image that is copied from, opened for reading and mounted as `--from-mount` says. */
function sourceInvocation(invocation: Invocation): Invocation {
  const { options, operands, command, out, err, signal } = invocation;
  const mount = options.list('from-mount');
  const without = { rw: undefined, root: undefined, inspect: undefined, add: undefined, format: undefined };
  return new Invocation({
    command,
    operands,
    out,
    err,
    signal,
    options: options.with({
      ...without,
      blocksize: undefined,
      mount: mount.length === 0 ? undefined : mount,
    }),
  });
}

/** Copies into an image what the operands before it name. */
export async function copyInto(
  invocation: Invocation,
  sources: readonly string[],
  { image, path }: Inside,
): Promise<void> {
  const first = splitImageArgument(sources[0] ?? '');
  const from = first.path !== undefined && isImageFile(first.image) ? readImageOperands(sources) : undefined;
  const change = (work: (changes: Changes) => Promise<void>): Promise<void> =>
    changeGuest(invocation, image, 'copied to', async (changes) => {
      const isThere = await changes.guest.g.isDir(path, { followsymlinks: true, ...changes.guest.controls });
      if (sources.length > 1 && !isThere)
        throw new Failure(
          `${path}: is no directory in the guest`,
          exitStatus.notFound,
          `to make it: guestfs mkdir --rw -p ${image}:${path}`,
        );
      await work(changes);
    });
  if (from === undefined) {
    if (invocation.options.list('from-mount').length > 0)
      throw usageFailure('--from-mount is for an image that is copied from');
    return await change(async (changes) => {
      for (const source of sources) await changes.attempt(() => copyFromHost(changes.guest, source, path));
    });
  }
  if (resolve(from.image) === resolve(image))
    return await change(async (changes) => {
      for (const source of await changes.expand(from.paths))
        await changes.attempt(() => copyFromGuest(changes.guest, changes.guest, source, path));
    });
  if (!invocation.options.flag('rw')) return await change(async () => {});
  await withMountedGuest(sourceInvocation(invocation), from.image, (source) =>
    change(async (changes) => {
      for (const each of await changes.expandIn(source, from.paths))
        await changes.attempt(() => copyFromGuest(source, changes.guest, each, path));
    }),
  );
}
