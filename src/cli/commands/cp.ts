/** `guestfs cp`: files and trees out of an image; into one in writing/cp-in.ts. */

import { chmodSync, utimesSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Structs } from '../../api/index.js';
import { typeOfMode } from '../../base/index.js';
import { hostNameProblem } from '../../formats/index.js';
import { exitStatus, Failure, usageFailure } from '../command/failure.js';
import type { Command, Invocation } from '../command/invocation.js';
import { guestOptions, progressOptions } from '../command/options.js';
import { expandPaths, Failures } from '../command/paths.js';
import { withLittleInlining } from '../guest/compiling.js';
import { isDirectory, isRegularFile, isSymlink } from '../guest/file-words.js';
import type { Guest } from '../guest/guest.js';
import { withPath } from '../guest/guest-not-found.js';
import { isImageFile, readImageOperands, splitImageArgument } from '../guest/image-argument.js';
import { withMountedGuest } from '../guest/mounting.js';
import { isHostDirectory, makeFile, makeTree, requireParent, unlessPartial } from '../host/host-files.js';
import type { Inside } from './writing/cp-in.js';

/** The last name of a guest path; empty for the root. The host must allow the name too. */
function lastName(path: string): string {
  const name = path.replace(/\/+$/, '').split('/').at(-1) ?? '';
  if (name === '.' || name === '..')
    throw usageFailure(`${path}: must end in a name`, 'write the path without . and .. at its end');
  const problem = name === '' ? undefined : hostNameProblem(name, process.platform);
  if (problem !== undefined)
    throw new Failure(
      `${path}: cannot have this name on this machine: ${problem}`,
      exitStatus.failure,
      'name the file that it is to become: cp IMAGE:/path FILE',
    );
  return name;
}

interface Plan {
  readonly image: string;
  readonly sources: readonly string[];
  readonly destination: string;
}

/** The place in an image that the last operand names, where things are to be copied into one. */
function insideOf(operands: readonly string[]): Inside | undefined {
  const { image, path } = splitImageArgument(operands.at(-1) ?? '');
  if (path === undefined || operands.length < 2) return undefined;
  // What is copied out may get a name that looks like a path in an image.
  const isIntoImage = isImageFile(image) || splitImageArgument(operands[0] ?? '').path === undefined;
  return isIntoImage ? { image, path } : undefined;
}

function readPlan(operands: readonly string[]): Plan {
  if (operands.length < 2)
    throw usageFailure('a source and a destination are needed', 'write guestfs cp IMAGE:/path DESTINATION');
  const destination = operands.at(-1) ?? '';
  const { image, paths } = readImageOperands(operands.slice(0, -1));
  if (paths.length === 0)
    throw usageFailure(
      'a path inside the image is missing',
      `write guestfs cp ${image}:/path ${destination}`,
    );
  return { image, sources: paths, destination };
}

async function copyToOutput({ g }: Guest, source: string, invocation: Invocation): Promise<void> {
  const { out } = invocation;
  await invocation.withProgress(source, 'bytes', (controls) => g.download(source, out.sink(), controls), {
    toScreen: out.isTerminal,
  });
}

/** The permissions of the guest's file as this user's umask limits them, without set-id bits. */
function setAttributes(path: string, status: Structs['statns'], preserve: boolean): void {
  chmodSync(path, preserve ? status.stMode & 0o777 : status.stMode & 0o777 & ~process.umask());
  if (preserve)
    utimesSync(
      path,
      status.stAtimeSec + status.stAtimeNsec / 1e9,
      status.stMtimeSec + status.stMtimeNsec / 1e9,
    );
}

async function copyFile(
  { g }: Guest,
  source: string,
  status: Structs['statns'],
  destination: string,
  invocation: Invocation,
): Promise<void> {
  await makeFile(destination, async (path) => {
    await invocation.withProgress(source, 'bytes', (controls) => g.download(source, path, controls));
    if (path !== destination) setAttributes(path, status, invocation.options.flag('preserve'));
  });
}

async function copyTree(
  { g }: Guest,
  source: string,
  destination: string,
  invocation: Invocation,
): Promise<void> {
  const name = lastName(source);
  const copyInto = (directory: string): Promise<void> =>
    invocation.withProgress(source, 'bytes', (controls) =>
      withLittleInlining(() => g.copyOut(source, directory, controls)),
    );
  if (!isHostDirectory(destination)) {
    return await makeTree(destination, async (scratch) => {
      const partial = await unlessPartial(copyInto(scratch));
      return { made: name === '' ? scratch : join(scratch, name), partial };
    });
  }
  const place = name === '' ? destination : join(destination, name);
  // An existing directory gets the files added. The root has no name, so its files go directly into the directory.
  if (isHostDirectory(place)) return await copyInto(destination);
  await makeTree(place, async (scratch) => {
    const partial = await unlessPartial(copyInto(scratch));
    return { made: join(scratch, name), partial };
  });
}

async function copyOne(guest: Guest, source: string, plan: Plan, invocation: Invocation): Promise<void> {
  const { g, controls } = guest;
  const { options } = invocation;
  const { destination } = plan;
  const recursive = options.flag('recursive');
  const status = await withPath(guest, source, () =>
    recursive ? g.lstatns(source, controls) : g.statns(source, controls),
  );
  if (isDirectory(status.stMode) && !recursive)
    throw new Failure(
      `${source}: is a directory`,
      exitStatus.failure,
      'give -r to copy it with all that is in it',
    );
  if (destination === '-') {
    if (isDirectory(status.stMode))
      throw new Failure(
        `${source}: a directory cannot go to standard output`,
        exitStatus.usage,
        `as an archive it can: guestfs tar-out ${plan.image}:${source} -`,
      );
    return await copyToOutput(guest, source, invocation);
  }
  if (isDirectory(status.stMode) || isSymlink(status.stMode))
    return await copyTree(guest, source, destination, invocation);
  if (!isRegularFile(status.stMode))
    throw new Failure(
      `${source}: a ${typeOfMode(status.stMode)} file is not copied: making one needs a program of this machine`,
      exitStatus.notSupported,
      `as an archive it can be had: guestfs tar-out ${plan.image}:/directory/of/it -`,
    );
  const place = isHostDirectory(destination) ? join(destination, lastName(source)) : destination;
  if (isHostDirectory(place))
    throw new Failure(`${place}: is a directory on this machine, and ${source} is a file`);
  await copyFile(guest, source, status, place, invocation);
}

/** Throws unless several files can go into the destination. */
function requireDirectory(destination: string): void {
  if (isHostDirectory(destination)) return;
  throw new Failure(
    `${destination}: is no directory on this machine`,
    exitStatus.failure,
    `mkdir ${basename(destination) === destination ? destination : `-p ${destination}`}`,
  );
}

export const cp: Command = {
  options: {
    ...guestOptions,
    ...progressOptions,
    recursive: { type: 'flag', short: 'r' },
    preserve: { type: 'flag', short: 'p' },
    'from-mount': { type: 'list' },
    json: { type: 'flag' },
  },
  async run(invocation) {
    const { operands, options } = invocation;
    const inside = insideOf(operands);
    if (inside !== undefined) {
      const { copyInto } = await import('./writing/cp-in.js');
      return await copyInto(invocation, operands.slice(0, -1), inside);
    }
    for (const name of ['json', 'from-mount'])
      if (options.flag(name) || options.list(name).length > 0)
        throw usageFailure(`--${name} is for copying into an image`);
    const plan = readPlan(operands);
    const { image, sources, destination } = plan;
    if (destination !== '-') {
      if (sources.length > 1 || destination.endsWith('/')) requireDirectory(destination);
      requireParent(destination);
    }
    await withMountedGuest(invocation, image, async (guest) => {
      const failures = new Failures(guest);
      const paths = await expandPaths(guest, sources, failures);
      if (paths.length > 1 && destination !== '-') requireDirectory(destination);
      for (const path of paths) await failures.attempt(() => copyOne(guest, path, plan, invocation));
      failures.end();
    });
  },
};
