/** `guestfs cat`: the contents of files, to standard output. */
import { GuestfsError } from '../../base/index.js';
import { exitStatus, Failure, usageFailure } from '../command/failure.js';
import type { Command, Invocation } from '../command/invocation.js';
import { guestOptions, progressOptions } from '../command/options.js';
import { withEachPath } from '../command/paths.js';
import type { Guest } from '../guest/guest.js';
import { withPath } from '../guest/guest-not-found.js';
import { readImageOperands } from '../guest/image-argument.js';
import { withMountedGuest } from '../guest/mounting.js';

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
