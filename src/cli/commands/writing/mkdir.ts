/** `guestfs mkdir`: new directories in a guest. */
import { GuestfsError } from '../../../base/index.js';
import { exitStatus, Failure } from '../../command/failure.js';
import type { Command } from '../../command/invocation.js';
import { changeGuest, changingOptions, makeAt, readChangedPaths } from '../../guest/changing.js';
import type { Guest } from '../../guest/guest.js';
import { readMode } from '../../guest/mode-words.js';

/** What `mkdir` makes before the umask. */
const anyMode = 0o777;

async function makeOne(guest: Guest, path: string, withParents: boolean): Promise<void> {
  const { g, controls } = guest;
  if (withParents) return await g.mkdirP(path, controls);
  try {
    await makeAt(guest, path, () => g.mkdir(path, controls), 'give -p to make what is missing above it too');
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code !== 'EEXIST') throw thrown;
    throw new Failure(`${path}: is there already`, exitStatus.failure, 'with -p that is no error');
  }
}

export const mkdir: Command = {
  options: { ...changingOptions, parents: { type: 'flag', short: 'p' }, mode: { type: 'text' } },
  async run(invocation) {
    const { options } = invocation;
    const { image, paths } = readChangedPaths(invocation.operands);
    const word = options.text('mode');
    const change = word === undefined ? undefined : readMode(word);
    await changeGuest(invocation, image, 'made', async (changes) => {
      const { guest } = changes;
      for (const path of paths)
        await changes.attempt(async () => {
          await makeOne(guest, path, options.flag('parents'));
          if (change !== undefined) await guest.g.chmod(change(anyMode, true), path, guest.controls);
          return path;
        });
    });
  },
};
