/** `guestfs touch`: times of files of a guest, and empty files. */
import { GuestfsError } from '../../../base/index.js';
import type { Command } from '../../command/invocation.js';
import { changePaths, changingOptions, makeAt, statusAt } from '../../guest/changing.js';
import { readMoment } from '../../guest/find-filter.js';
import type { Guest } from '../../guest/guest.js';

/** Of utimens: the time is now. */
const now = { seconds: 0, nanoseconds: -1 };

async function touchOne(
  guest: Guest,
  path: string,
  { seconds, nanoseconds }: typeof now,
  makes: boolean,
): Promise<boolean> {
  const { g, controls } = guest;
  try {
    await g.statns(path, controls);
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code !== 'ENOENT') throw thrown;
    if (!makes) return false;
    await makeAt(guest, path, () => g.touch(path, controls));
    if (nanoseconds === now.nanoseconds) return true;
  }
  await g.utimens(path, seconds, nanoseconds, seconds, nanoseconds, controls);
  return true;
}

export const touch: Command = {
  options: {
    ...changingOptions,
    date: { type: 'text', short: 'd' },
    'no-create': { type: 'flag', short: 'c' },
  },
  async run(invocation) {
    const { options, operands } = invocation;
    const word = options.text('date');
    const moment = word === undefined ? now : readMoment(word, '--date');
    const makes = !options.flag('no-create');
    await changePaths(invocation, operands, 'touched', async (guest, path) => {
      if (!('path' in moment)) return await touchOne(guest, path, moment, makes);
      const { stMtimeSec: seconds, stMtimeNsec: nanoseconds } = await statusAt(guest, moment.path);
      return await touchOne(guest, path, { seconds, nanoseconds }, makes);
    });
  },
};
