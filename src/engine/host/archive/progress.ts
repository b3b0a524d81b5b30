/** The progress of an archive or a copy of a tree: the bytes read so far, and the bytes of all files. */
import type { Place } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import { distinctEntries, HardLinks, type Wanted } from './entries.js';

/**
 * When it is worth walking the tree to get the total, in milliseconds: shortly before a call's first progress event.
 */
const measureAfterInMs = 1500;

export class TreeProgress {
  readonly #call: Call;
  readonly #start: Place;
  readonly #wanted: Wanted | undefined;
  readonly #byName: boolean;
  /** Bytes of the files that are done. */
  #done = 0;
  /** The bytes of all files; undefined until they are needed. */
  #total: number | undefined;

  /** For everything below `start` that is `wanted`. `byName`: a file is read once for each of its names. */
  constructor(call: Call, start: Place, wanted?: Wanted, byName = false) {
    this.#call = call;
    this.#start = start;
    this.#wanted = wanted;
    this.#byName = byName;
  }

  /** The present file is so far; also a checkpoint. */
  at(moved: number): void {
    const call = this.#call;
    if (this.#total === undefined && call.wantsProgress && call.ageInMs > measureAfterInMs)
      this.#total = this.#measure();
    call.progress(this.#done + moved, this.#total ?? 0);
  }

  /** A file of so many bytes is done. */
  add(sizeInBytes: number): void {
    this.#done += sizeInBytes;
  }

  #measure(): number {
    let total = 0;
    const links = new HardLinks();
    for (const { path, place, stat } of distinctEntries(this.#call, this.#start, this.#wanted)) {
      this.#call.checkpoint();
      if (place.type !== 'file') continue;
      const { sizeInBytes, linkCount } = stat;
      if (this.#byName || linkCount < 2 || links.first(place, path) === undefined) total += sizeInBytes;
    }
    return total;
  }
}
