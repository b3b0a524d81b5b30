/** For a path that does not exist: finds the missing part of it, and a similar name. */
import { nearestName } from '../../api/index.js';
import { GuestfsError, HostError } from '../../base/index.js';
import { exitStatus, Failure } from '../command/failure.js';
import { visible } from '../terminal/visible.js';
import type { Guest } from './guest.js';

/** The names in a directory; undefined for other files and unreadable directories. */
async function namesIn({ g, controls }: Guest, directory: string): Promise<string[] | undefined> {
  try {
    return await g.ls(directory, controls);
  } catch (thrown) {
    if (thrown instanceof GuestfsError && thrown.code !== 'ECANCELED') return undefined;
    throw thrown;
  }
}

const join = (directory: string, name: string): string =>
  directory === '/' ? `/${name}` : `${directory}/${name}`;

async function hintFor(guest: Guest, path: string): Promise<string | undefined> {
  const components = path.split('/').filter((name) => name !== '');
  let directory = '/';
  for (const [index, name] of components.entries()) {
    const names = await namesIn(guest, directory);
    if (names === undefined) return undefined;
    if (!names.includes(name)) {
      const near = nearestName(name, names);
      if (near !== undefined)
        return `did you mean ${[join(directory, near), ...components.slice(index + 1)].join('/')}?`;
      if (index < components.length - 1) return `there is no ${join(directory, name)}`;
      return `'guestfs ls ${guest.image}:${directory}' shows what there is`;
    }
    directory = join(directory, name);
  }
  // All components exist, so the last one is a broken link.
  return `${path} is a symbolic link that leads nowhere: see 'guestfs stat ${guest.image}:${path}'`;
}

/** Does something with a path inside the guest. If the path does not exist, the error suggests a similar one. */
export async function withPath<T>(guest: Guest, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown instanceof HostError || thrown.code !== 'ENOENT')
      throw thrown;
    // A newline in a name must not break the message into lines.
    const message = `${visible(path)}: no such file or directory`;
    throw new Failure(message, exitStatus.notFound, await hintFor(guest, path));
  }
}
