/** `guestfs ln`: hard and symbolic links in a guest. */
import { GuestfsError } from '../../../base/index.js';
import { exitStatus, Failure, usageFailure } from '../../command/failure.js';
import type { Command, Invocation } from '../../command/invocation.js';
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
import { isImageFile, splitImageArgument } from '../../guest/image-argument.js';

interface Link {
  readonly image: string;
  readonly target: string;
  readonly link: string;
}

/** `IMAGE:/file /link`. */
function readHardLink(operands: readonly string[]): Link {
  const { image, paths } = readChangedPaths(operands);
  const [target = '', link, ...more] = paths;
  if (link === undefined)
    throw usageFailure('the new name is missing', `write guestfs ln --rw ${image}:${target} /new/name`);
  if (more.length > 0) throw usageFailure(`${more[0]} is too much`, 'one file, and one new name for it');
  return { image, target, link };
}

/** `TARGET IMAGE:/link`: the target is a text, which leads somewhere in the guest or nowhere. */
function readSymbolicLink([target, ...rest]: readonly string[]): Link {
  if (target === undefined || rest.length === 0)
    throw usageFailure('a target and a link are needed', 'write guestfs ln --rw -s TARGET IMAGE:/link');
  const { image: file, path: inside } = splitImageArgument(target);
  if (inside !== undefined && isImageFile(file))
    throw usageFailure(
      `${target}: the target of a symbolic link is a text, and no path in an image`,
      `write guestfs ln --rw -s ${inside} ${file}:/link`,
    );
  const { image, paths } = readChangedPaths(rest);
  const [link = '', ...more] = paths;
  if (more.length > 0) throw usageFailure(`${more[0]} is too much`, 'one target, and one link to it');
  return { image, target, link };
}

async function makeLink(guest: Guest, { target, link }: Link, { options }: Invocation): Promise<string> {
  const { g, controls } = guest;
  const [isSymbolic, isForced] = [options.flag('symbolic'), options.flag('force')];
  if (!isSymbolic) await statusAt(guest, target, { link: true });
  const place = await placeFor(guest, link, baseName(target));
  const make = isSymbolic ? (isForced ? 'lnSf' : 'lnS') : isForced ? 'lnF' : 'ln';
  try {
    await makeAt(guest, place, () => g[make](target, place, controls));
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code !== 'EEXIST') throw thrown;
    throw new Failure(`${place}: is there already`, exitStatus.failure, 'give -f to replace it');
  }
  return place;
}

export const ln: Command = {
  options: {
    ...changingOptions,
    symbolic: { type: 'flag', short: 's' },
    force: { type: 'flag', short: 'f' },
  },
  async run(invocation) {
    const { options, operands } = invocation;
    const link = options.flag('symbolic') ? readSymbolicLink(operands) : readHardLink(operands);
    await changeGuest(invocation, link.image, 'linked', (changes) =>
      changes.attempt(() => makeLink(changes.guest, link, invocation)),
    );
  },
};
