/** `guestfs write`: the contents of a file of a guest, from standard input or the command line. */
import { createReadStream } from 'node:fs';
import { encodeText } from '../../../base/index.js';
import { usageFailure } from '../../command/failure.js';
import type { Command, Invocation } from '../../command/invocation.js';
import { progressOptions } from '../../command/options.js';
import { changeGuest, changingOptions, makeAt, makeParents, readChangedPaths } from '../../guest/changing.js';
import type { Guest } from '../../guest/guest.js';
import { replaceFile } from '../../guest/replace-file.js';

/** Standard input from where it stands. */
export const standardInput = () => createReadStream('', { fd: 0, autoClose: false });

async function append({ g, controls }: Guest, path: string, invocation: Invocation, text?: Uint8Array) {
  if (text !== undefined) return await g.writeAppend(path, text, controls);
  const isThere = await g.isFile(path, { followsymlinks: true, ...controls });
  const end = isThere ? await g.filesize(path, controls) : 0;
  await invocation.withProgress(path, 'bytes', (progress) =>
    g.uploadOffset(standardInput(), path, end, progress),
  );
}

export const write: Command = {
  options: {
    ...changingOptions,
    ...progressOptions,
    text: { type: 'text' },
    append: { type: 'flag' },
    parents: { type: 'flag', short: 'p' },
  },
  async run(invocation) {
    const { options, operands } = invocation;
    const { image, paths } = readChangedPaths(operands);
    const [path = '', other] = paths;
    if (other !== undefined) throw usageFailure(`${other} is too much`, 'one file at a time');
    const word = options.text('text');
    const text = word === undefined ? undefined : encodeText(`${word}\n`);
    const isAppended = options.flag('append');
    await changeGuest(invocation, image, isAppended ? 'added to' : 'wrote', (changes) =>
      changes.attempt(async () => {
        const { guest } = changes;
        const { g, controls } = guest;
        if (options.flag('parents')) await makeParents(guest, path);
        if (isAppended) await makeAt(guest, path, () => append(guest, path, invocation, text));
        else
          await replaceFile(guest, path, (temporary) =>
            text === undefined
              ? invocation.withProgress(path, 'bytes', (progress) =>
                  g.upload(standardInput(), temporary, progress),
                )
              : g.write(temporary, text, controls),
          );
        return path;
      }),
    );
  },
};
