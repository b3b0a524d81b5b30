/** The walk for archives and copies of a tree, and its progress. */
import type { InodeNumber } from '../../../fs/index.js';
import { type Mount, type Place, type StatVisit, walkTree } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';

/** The first name of each file that has several. */
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

  /** The file does not exist under the first name. */
  forget(place: Place): void {
    this.#names.get(place.mount)?.delete(place.inode);
  }
}

/** Called for each entry before its contents; false leaves it out, with everything in it. */
export type Wanted = (visit: StatVisit) => boolean;

/**
 * Everything below a directory, with each name of a directory once. A damaged or hostile guest may have a name twice,
 * for example as a link and as a directory: unpacking both would write through the link. The second one is left out,
 * as are unreadable files; warnings report them with the path of the start, `from`.
 */
export function* distinctEntries(
  call: Call,
  start: Place,
  wanted: Wanted = () => true,
  from?: string,
): Generator<StatVisit, void> {
  /** The names so far in the directories on the path of the walk, by depth. */
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
