/** `guestfs rm`: files and directories of a guest, removed. */
import { GuestfsError } from '../../../base/index.js';
import { exitStatus, Failure } from '../../command/failure.js';
import type { Command } from '../../command/invocation.js';
import { baseName, changePaths, changingOptions, statusAt } from '../../guest/changing.js';
import { isDirectory } from '../../guest/file-words.js';
import type { Guest } from '../../guest/guest.js';

async function isMissing({ g, controls }: Guest, path: string): Promise<boolean> {
  try {
    await g.lstatns(path, controls);
    return false;
  } catch (thrown) {
    if (thrown instanceof GuestfsError && thrown.code === 'ENOENT') return true;
    throw thrown;
  }
}

async function removeOne(
  guest: Guest,
  path: string,
  { recursive, force }: { readonly recursive: boolean; readonly force: boolean },
): Promise<boolean> {
  const { g, controls } = guest;
  if (baseName(path) === '') throw new Failure('/: is the root of the guest, and is not removed');
  if (force && (await isMissing(guest, path))) return false;
  const { stMode } = await statusAt(guest, path, { link: true });
  if (!isDirectory(stMode)) {
    await g.rm(path, controls);
    return true;
  }
  if (!recursive)
    throw new Failure(
      `${path}: is a directory`,
      exitStatus.failure,
      'give -r to remove it with all that is in it',
    );
  await guest.invocation.withProgress(path, 'steps', (progress) => g.rmRf(path, progress));
  return true;
}

export const rm: Command = {
  options: {
    ...changingOptions,
    recursive: { type: 'flag', short: 'r' },
    force: { type: 'flag', short: 'f' },
  },
  async run(invocation) {
    const { options } = invocation;
    const how = { recursive: options.flag('recursive'), force: options.flag('force') };
    await changePaths(invocation, invocation.operands, 'removed', (guest, path) =>
      removeOne(guest, path, how),
    );
  },
};
