/**
 * Intents: changes that take several transactions. The first says what will be done, and the last that it is done. A
 * mount finishes what the log leaves in between. Here that is what a reader may notice: mappings of forks, exchanges of
 * contents, attributes; the other intents concern free space and owners alone.
 */
import { bits64, type Endian, viewOf, work } from '../../../base/index.js';
import { firstRegion } from './buffers.js';
import { intentIdAt, itemTypes } from './layout.js';
import type { LogItem } from './transactions.js';

const doneBy: ReadonlyMap<number, number> = new Map([
  [itemTypes.bud, itemTypes.bui],
  [itemTypes.attrd, itemTypes.attri],
  [itemTypes.xmd, itemTypes.xmi],
]);
const begun: ReadonlySet<number> = new Set(doneBy.values());

export class Intents {
  readonly endian: Endian;
  /** By kind and number. */
  readonly #open = new Map<string, LogItem>();

  constructor(endian: Endian) {
    this.endian = endian;
  }

  meet({ type, regions }: LogItem): void {
    const intent = doneBy.get(type);
    if (intent === undefined && !begun.has(type)) return;
    const view = viewOf(firstRegion(regions));
    const id =
      intentIdAt + 8 > view.byteLength ? 0n : bits64(intentIdAt).read(view, 0, this.endian === 'little');
    if (intent !== undefined) {
      const key = `${intent} ${id}`;
      for (const region of this.#open.get(key)?.regions ?? []) work.bytes.refund(region.length);
      this.#open.delete(key);
      return;
    }
    for (const region of regions) work.bytes.spend(region.length);
    this.#open.set(`${type} ${id}`, { type, regions: regions.map((region) => region.slice()) });
  }

  /** What is not done, in the order of the log. */
  get open(): Iterable<LogItem> {
    return this.#open.values();
  }
}
