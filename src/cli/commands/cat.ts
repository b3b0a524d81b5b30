/** `guestfs cat`: the contents of files, to standard output. */
import { GuestfsError } from '../../base/index.js';
import { exitStatus, Failure, usageFailure } from '../failure.js';
import type { Guest } from '../guest.js';
import { readImageOperands } from '../image-argument.js';
import type { Command, Invocation } from '../invocation.js';
import { withPath } from '../missing.js';
import { withMountedGuest } from '../mounting.js';
import { guestOptions, progressOptions } from '../options.js';
import { withEachPath } from '../paths.js';

async function catOne({ g, image }: Guest, path: string, invocation: Invocation): Promise<void> {
  const { out } = invocation;
  try {
    await invocation.withProgress(path, 'bytes', (controls) => g.download(path, out.sink(), controls), {
      toScreen: out.isTerminal,
    });
  } catch (thrown) {
    if (thrown instanceof GuestfsError && thrown.code === 'EISDIR')
      throw new Failure(
        `${path}: is a directory`,
        exitStatus.failure,
        `to list it: guestfs ls ${image}:${path}`,
      );
    throw thrown;
  }
}

export const cat: Command = {
  options: { ...guestOptions, ...progressOptions },
  async run(invocation) {
    const { image, paths } = readImageOperands(invocation.operands);
    if (paths.length === 0)
      throw usageFailure('a path inside the image is missing', `write guestfs cat ${image}:/path/of/a/file`);
    await withMountedGuest(invocation, image, async (guest) => {
      await withEachPath(guest, paths, (path) =>
        withPath(guest, path, () => catOne(guest, path, invocation)),
      );
    });
  },
};
