/**
 * Replacing a file of a guest: the new contents are written beside it, get its attributes, and take its name in one step,
 * so that whatever happens one of the two is there whole.
 */
import { decodeText, GuestfsError, HostError, typeOfMode } from '../../base/index.js';
import { Failure } from '../command/failure.js';
import { joinPath, makeAt, parentOf } from './changing.js';
import { isDirectory, isRegularFile } from './file-words.js';
import type { Guest } from './guest.js';

/** As many links as the kernel follows. */
const mostLinks = 40;

/** The status of what has a path itself; undefined where nothing has it. */
async function statusOf({ g, controls }: Guest, path: string) {
  try {
    return await g.lstatns(path, controls);
  } catch (thrown) {
    if (thrown instanceof GuestfsError && !(thrown instanceof HostError) && thrown.code === 'ENOENT')
      return undefined;
    throw thrown;
  }
}

/** The file that a path leads to, and its status; of a link to nothing the place where the file is to be. */
async function fileAt(guest: Guest, path: string) {
  const { g, controls } = guest;
  let target = path;
  for (let links = 0; links < mostLinks; links++) {
    const status = await statusOf(guest, target);
    if (status === undefined) return { target };
    if (typeOfMode(status.stMode) !== 'symlink')
      return { target: await g.realpath(target, controls), status };
    const leads = await g.readlink(target, controls);
    target = leads.startsWith('/') ? leads : joinPath(parentOf(target), leads);
  }
  throw new Failure(`${path}: there are too many links on the way to the file`);
}

/**
 * The extended attributes of a file for another guest's. A call for one takes a text, so that a value with a NUL is left
 * out, with a note.
 */
export async function copyExtendedAttributes(
  from: Guest,
  path: string,
  to: Guest,
  other: string,
): Promise<void> {
  for (const { attrname, attrval } of await from.g.lgetxattrs(path, from.controls)) {
    const value = decodeText(attrval);
    if (value.includes('\0'))
      to.invocation.note(
        `${path}: its attribute ${attrname} is left out; cp -r of its directory copies it too`,
      );
    else await to.g.lsetxattr(attrname, value, attrval.length, other, to.controls);
  }
}

/** Numbers the temporary names. */
let made = 0;

/** A name in a directory of the guest that nobody has. */
export const scratchName = (directory: string): string =>
  joinPath(directory, `.guestfs-${process.pid}-${Date.now().toString(36)}-${made++}`);

/**
 * Makes or replaces a file by `fill`, which writes to the path that it gets, a new file. What was there keeps owner,
 * permissions and extended attributes; `finish` may give others. A link is followed. Whatever is begun is removed when
 * this fails.
 */
export async function replaceFile(
  guest: Guest,
  path: string,
  fill: (temporary: string) => Promise<void>,
  finish?: (temporary: string, isNew: boolean) => Promise<void>,
): Promise<void> {
  const { g, controls } = guest;
  const { target, status } = await fileAt(guest, path);
  if (status !== undefined && !isRegularFile(status.stMode))
    throw new Failure(
      isDirectory(status.stMode) ? `${path}: is a directory` : `${path}: is no file with contents of its own`,
    );
  const temporary = scratchName(parentOf(target));
  try {
    // A file that is replaced may be secret, and so is what is to become it from the start.
    if (status !== undefined) await g.mknod(0o100600, 0, 0, temporary, controls);
    await makeAt(guest, target, () => fill(temporary));
    if (status !== undefined) await g.copyAttributes(target, temporary, { all: true, ...controls });
    await finish?.(temporary, status === undefined);
    await g.rename(temporary, target, controls);
  } catch (thrown) {
    // Not cancelled, as what failed may have been.
    if (g.state === 'ready') await g.rmF(temporary);
    throw thrown;
  }
}
