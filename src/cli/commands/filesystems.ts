/** `guestfs filesystems`: what there is to mount. */
import { describeFilesystems, filesystemJson, noteProblems, problemsOf } from '../filesystem-facts.js';
import { filesystemLines } from '../filesystem-table.js';
import { withGuest } from '../guest.js';
import { readOneImage } from '../image-argument.js';
import type { Command } from '../invocation.js';
import { imageOptions, sizeOptions } from '../options.js';
import { failIfDamaged } from '../unreadable.js';

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
