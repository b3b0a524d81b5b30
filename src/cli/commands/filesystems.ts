/** `guestfs filesystems`: what there is to mount. */
import { describeFilesystems, filesystemJson } from '../filesystem-facts.js';
import { filesystemLines } from '../filesystem-table.js';
import { withGuest } from '../guest.js';
import { readOneImage } from '../image-argument.js';
import type { Command } from '../invocation.js';
import { imageOptions, sizeOptions } from '../options.js';

export const filesystems: Command = {
  options: { ...imageOptions, ...sizeOptions, json: { type: 'flag' } },
  async run(invocation) {
    const image = readOneImage(invocation.operands);
    const facts = await withGuest(invocation, image, describeFilesystems);
    if (invocation.options.flag('json')) return await invocation.printJson(facts.map(filesystemJson));
    if (facts.length === 0) return invocation.note(`${image}: no filesystem was found`);
    await invocation.out.lines(filesystemLines(facts, invocation.sizeFormat, 'uuid'));
    for (const { device, problem } of facts)
      if (problem !== undefined) invocation.note(`${device} cannot be mounted: ${problem}`);
  },
};
