/** The walk that archives and copies of a tree are made of, and how far along it they are. */
import type { InodeNumber } from '../../../fs/index.js';
import { type Mount, type Place, type StatVisit, walkTree } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';

/** Which name a file with several was met under first. */
export class HardLinks {
  readonly #names = new Map<Mount, Map<InodeNumber, string>>();

  /** The first name, or undefined when this is it. */
  first(place: Place, name: string): string | undefined {
    let names = this.#names.get(place.mount);
    if (names === undefined) {
      names = new Map();
      this.#names.set(place.mount, names);
    }
    const known = names.get(place.inode);
    if (known === undefined) names.set(place.inode, name);
    return known;
  }

  /** The file is not there under the name that was given. */
  forget(place: Place): void {
    this.#names.get(place.mount)?.delete(place.inode);
  }
}

/** Asked of each entry when it is met, before what is in it; false: it is left out, with all that is in it. */
export type Wanted = (visit: StatVisit) => boolean;

/**
 * Everything below a directory, each name of a directory once. A damaged or hostile guest has a name twice, say as a link and
 * as a directory: whoever unpacks both writes through the link. The second is left out, as is what cannot be read; with the
 * path of the start, `from`, warnings tell of it.
 */
export function* distinctEntries(
  call: Call,
  start: Place,
  wanted: Wanted = () => true,
  from?: string,
): Generator<StatVisit, void> {
  /** The names met so far in the directories that the walk is in, by depth. */
  const siblings: Set<string>[] = [];
  let leftOut: Place | undefined;
  const walk = walkTree(call.session.tree, start, {
    stat: true,
    into: ({ place }) => place !== leftOut,
    ...(from === undefined ? { onDamage: () => {} } : { from }),
  });
  for (const visit of walk) {
    const { depth, name, place } = visit;
    if (depth > 0) {
      siblings.length = Math.min(siblings.length, depth);
      siblings[depth - 1] ??= new Set();
      const names = siblings[depth - 1] as Set<string>; // safe: made on the line above
      if (names.has(name)) {
        if (from !== undefined) warnOfTwin(call, pathBelow(from, visit.path));
        leftOut = place;
        continue;
      }
      names.add(name);
    }
    if (wanted(visit)) yield visit;
    else leftOut = place;
  }
}

/** The path of an entry of a walk that began at `top`. */
export const pathBelow = (top: string, path: string): string =>
  path === '' ? top : `${top.replace(/\/+$/, '')}/${path}`;

function warnOfTwin(call: Call, path: string): void {
  call.session.warn(`${path}: its directory has this name twice, and the second is left out`, 'a name twice');
}
