/** `guestfs filesystems`: what there is to mount. */

import type { Command } from '../command/invocation.js';
import { imageOptions, sizeOptions } from '../command/options.js';
import { describeFilesystems, filesystemJson, noteProblems, problemsOf } from '../guest/filesystem-facts.js';
import { filesystemLines } from '../guest/filesystem-table.js';
import { withGuest } from '../guest/guest.js';
import { readOneImage } from '../guest/image-argument.js';
import { failIfDamaged } from '../guest/unreadable.js';

export const filesystems: Command = {
  options: { ...imageOptions, ...sizeOptions, json: { type: 'flag' } },
  async run(invocation) {
    const image = readOneImage(invocation.operands);
    const facts = await withGuest(invocation, image, describeFilesystems);
    if (invocation.options.flag('json')) await invocation.printJson(facts.map(filesystemJson));
    else if (facts.length === 0) invocation.note(`${image}: no filesystem was found`);
    else {
      await invocation.out.lines(filesystemLines(facts, invocation.sizeFormat, 'uuid'));
      noteProblems(invocation, facts);
    }
    failIfDamaged(problemsOf(facts));
  },
};
