/**
 * Intents: changes that take several transactions. The first says what will be done, and the last that it is done. The
 * kernel's mount finishes what the log leaves in between; here there is a warning.
 */
import { bits64, type Endian, viewOf } from '../../../base/index.js';
import { firstRegion } from './buffers.js';
import { intentIdAt, intentInodeAt, itemTypes } from './layout.js';
import type { LogItem } from './transactions.js';

/** What an intent of a kind may leave out of date for a reader; the others concern free space and owners alone. */
const meanings: ReadonlyMap<number, string> = new Map([
  [itemTypes.bui, 'a file’s extents may miss a change that was under way'],
  [itemTypes.attri, 'an attribute may miss a change that was under way'],
  [itemTypes.xmi, 'two files whose contents were being exchanged may be between the two'],
]);

const doneBy: ReadonlyMap<number, number> = new Map([
  [itemTypes.efd, itemTypes.efi],
  [itemTypes.rud, itemTypes.rui],
  [itemTypes.cud, itemTypes.cui],
  [itemTypes.bud, itemTypes.bui],
  [itemTypes.attrd, itemTypes.attri],
  [itemTypes.xmd, itemTypes.xmi],
]);
const begun: ReadonlySet<number> = new Set(doneBy.values());

export class Intents {
  readonly #endian: Endian;
  /** By kind and number, the inode that each concerns. */
  readonly #open = new Map<string, { readonly type: number; readonly inode: bigint }>();

  constructor(endian: Endian) {
    this.#endian = endian;
  }

  meet({ type, regions }: LogItem): void {
    const region = firstRegion(regions);
    const view = viewOf(region);
    const word = (at: number): bigint =>
      at + 8 > region.length ? 0n : bits64(at).read(view, 0, this.#endian === 'little');
    const id = word(intentIdAt);
    const intent = doneBy.get(type);
    if (intent !== undefined) this.#open.delete(`${intent} ${id}`);
    else if (begun.has(type)) this.#open.set(`${type} ${id}`, { type, inode: word(intentInodeAt) });
  }

  /** One warning for each intent that a reader may notice. */
  tell(warn: (message: string) => void): void {
    for (const { type, inode } of this.#open.values()) {
      const meaning = meanings.get(type);
      if (meaning !== undefined)
        warn(`XFS log: inode ${inode}: ${meaning}; only a mount by Linux finishes it`);
    }
  }
}
