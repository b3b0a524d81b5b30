/** `guestfs chmod`: permissions of files of a guest. */
import { usageFailure } from '../../command/failure.js';
import type { Command } from '../../command/invocation.js';
import { everythingBelow } from '../../guest/below.js';
import { changePaths, changingOptions, statusAt } from '../../guest/changing.js';
import { isDirectory, isSymlink } from '../../guest/file-words.js';
import { readMode } from '../../guest/mode-words.js';

const permissionBits = 0o7777;

export const chmod: Command = {
  options: { ...changingOptions, recursive: { type: 'flag', short: 'R' } },
  async run(invocation) {
    const [word, ...operands] = invocation.operands;
    if (word === undefined || operands.length === 0)
      throw usageFailure('a mode and an image are needed', 'write guestfs chmod --rw 0644 IMAGE:/path');
    const change = readMode(word);
    await changePaths(invocation, operands, 'changed the permissions of', async (guest, path) => {
      const { g, controls } = guest;
      const isDeep = invocation.options.flag('recursive');
      const found = isDeep
        ? await everythingBelow(guest, path)
        : [{ path, mode: (await statusAt(guest, path)).stMode }];
      for (const { path: each, mode } of found) {
        // What a link leads to is not below the path.
        if (isSymlink(mode)) continue;
        const wanted = change(mode & permissionBits, isDirectory(mode));
        if (wanted !== (mode & permissionBits)) await g.chmod(wanted, each, controls);
      }
      return true;
    });
  },
};
