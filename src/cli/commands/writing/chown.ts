/** `guestfs chown`: owners of files of a guest. */
import { usageFailure } from '../../command/failure.js';
import type { Command } from '../../command/invocation.js';
import { Accounts } from '../../guest/accounts.js';
import { everythingBelow } from '../../guest/below.js';
import { changePaths, changingOptions, statusAt } from '../../guest/changing.js';

/** Of `chown`: what stays as it is. */
const unchanged = -1;

/** `OWNER`, `OWNER:GROUP`, `:GROUP`. */
function readOwner(word: string): { user: string; group: string } {
  const [user = '', group = '', ...more] = word.split(':');
  if (more.length > 0 || (user === '' && group === '') || (group === '' && word.endsWith(':')))
    throw usageFailure(`'${word}' is no owner`, 'write OWNER, OWNER:GROUP or :GROUP, by name or number');
  return { user, group };
}

export const chown: Command = {
  options: {
    ...changingOptions,
    recursive: { type: 'flag', short: 'R' },
    'no-dereference': { type: 'flag' },
  },
  async run(invocation) {
    const { options } = invocation;
    const [word, ...operands] = invocation.operands;
    if (word === undefined || operands.length === 0)
      throw usageFailure(
        'an owner and an image are needed',
        'write guestfs chown --rw OWNER:GROUP IMAGE:/path',
      );
    const { user, group } = readOwner(word);
    let numbers: { uid: number; gid: number } | undefined;
    await changePaths(invocation, operands, 'changed the owner of', async (guest, path) => {
      const { g, controls } = guest;
      if (numbers === undefined) {
        const accounts = await Accounts.of(guest);
        numbers = {
          uid: user === '' ? unchanged : accounts.userNumber(user),
          gid: group === '' ? unchanged : accounts.groupNumber(group),
        };
      }
      const { uid, gid } = numbers;
      if (options.flag('recursive')) {
        for (const { path: each } of await everythingBelow(guest, path))
          await g.lchown(uid, gid, each, controls);
        return true;
      }
      const link = options.flag('no-dereference');
      await statusAt(guest, path, { link });
      if (link) await g.lchown(uid, gid, path, controls);
      else await g.chown(uid, gid, path, controls);
      return true;
    });
  },
};
