/** `guestfs mv`: files and directories of a guest, renamed or moved. */
import { exitStatus, Failure, usageFailure } from '../../command/failure.js';
import type { Command } from '../../command/invocation.js';
import { progressOptions } from '../../command/options.js';
import {
  baseName,
  changeGuest,
  changingOptions,
  makeAt,
  placeFor,
  readChangedPaths,
  statusAt,
} from '../../guest/changing.js';
import type { Guest } from '../../guest/guest.js';

async function moveOne(guest: Guest, source: string, destination: string, keeps: boolean): Promise<string> {
  await statusAt(guest, source, { link: true });
  const place = await placeFor(guest, destination, baseName(source));
  if (keeps && (await guest.g.exists(place, guest.controls)))
    throw new Failure(`${place}: is there already`, exitStatus.failure, 'leave out -n to replace it');
  await makeAt(guest, place, () =>
    guest.invocation.withProgress(source, 'bytes', (controls) => guest.g.mv(source, place, controls)),
  );
  return place;
}

export const mv: Command = {
  options: { ...changingOptions, ...progressOptions, 'no-clobber': { type: 'flag', short: 'n' } },
  async run(invocation) {
    const { image, paths } = readChangedPaths(invocation.operands);
    const destination = paths.pop() ?? '';
    if (paths.length === 0)
      throw usageFailure(
        'a source and a destination are needed',
        `write guestfs mv --rw ${image}:${destination} /new/path`,
      );
    await changeGuest(invocation, image, 'moved to', async (changes) => {
      const { guest } = changes;
      const sources = await changes.expand(paths);
      if (
        sources.length > 1 &&
        !(await guest.g.isDir(destination, { followsymlinks: true, ...guest.controls }))
      )
        throw new Failure(
          `${destination}: is no directory, and several files are to go there`,
          exitStatus.failure,
          `to make it: guestfs mkdir --rw -p ${image}:${destination}`,
        );
      for (const source of sources)
        await changes.attempt(() =>
          moveOne(guest, source, destination, invocation.options.flag('no-clobber')),
        );
    });
  },
};
