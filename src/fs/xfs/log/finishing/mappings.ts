/**
 * Mappings that were begun: an extent that goes into a file or out of it, and files that exchange their extents. They
 * are left by a crash in the middle of a copy on write, of a clone, or of an exchange of contents.
 */
import { CorruptError, type Endian, viewOf, work } from '../../../../base/index.js';
import { has } from '../../features.js';
import { inodeAt } from '../../layout.js';
import { firstRegion } from '../buffers.js';
import {
  exchangeFlags,
  exchangeIntent,
  forkEnd,
  knownMappingFlags,
  mappingFlags,
  mappingIntent,
  mappingKind,
  mappingKinds,
  mostExchangeFlags,
} from '../layout.js';
import { logName } from '../log.js';
import { ForkEditor } from './fork-editor.js';
import type { Unfinished } from './unfinished.js';

const onRealtime = 'its extents on a realtime device may miss a change that was under way';

export class Mappings {
  readonly #unfinished: Unfinished;
  readonly #endian: Endian;
  readonly #forks = new Map<string, ForkEditor>();

  constructor(unfinished: Unfinished, endian: Endian) {
    this.#unfinished = unfinished;
    this.#endian = endian;
  }

  /** Finishes the mapping of one extent. */
  finishMapping(regions: readonly Uint8Array[]): void {
    const { volume } = this.#unfinished;
    const intent = mappingIntent(this.#endian).decode(firstRegion(regions));
    const {
      me_owner: inode,
      me_startblock: block,
      me_startoff: start,
      me_len: count,
      me_flags: flags,
    } = intent;
    const kind = flags & mappingKind;
    const isKnown = kind === mappingKinds.map || kind === mappingKinds.unmap;
    if (intent.bui_nextents !== 1 || !isKnown || has(flags, ~knownMappingFlags))
      throw new CorruptError(logName, 'maps in a way that is not known', { inode, flags });
    if (count === 0 || start + count > forkEnd)
      throw new CorruptError(logName, 'maps to a place that no file has', { inode, start, count });
    const which = has(flags, mappingFlags.attributeFork) ? 'attributes' : 'data';
    if (has(flags, mappingFlags.realtime) || (which === 'data' && volume.anyInode(inode).isRealtime)) {
      this.#unfinished.warn(inode, onRealtime);
      return;
    }
    if (!volume.containsBlocks(block, count))
      throw new CorruptError(logName, 'maps what lies outside the filesystem', { inode, block, count });
    const fork = this.#fork(inode, which);
    if (kind === mappingKinds.unmap) fork.unmap(start, count);
    else if (!fork.map({ start, count, block, written: !has(flags, mappingFlags.unwritten) }))
      this.#unfinished.warn(
        inode,
        'its contents may miss a change that was under way, since other blocks are there',
      );
  }

  /** Finishes the exchange of extents between two files. */
  finishExchange(regions: readonly Uint8Array[]): void {
    const { volume } = this.#unfinished;
    const intent = exchangeIntent(this.#endian).decode(firstRegion(regions));
    const { xmi_inode1: first, xmi_inode2: second, xmi_startoff1: start1, xmi_startoff2: start2 } = intent;
    const { xmi_flags: flags, xmi_blockcount: count } = intent;
    if (flags > mostExchangeFlags)
      throw new CorruptError(logName, 'exchanges contents in a way that is not known', {
        inode: first,
        flags,
      });
    if (start1 + count > forkEnd || start2 + count > forkEnd)
      throw new CorruptError(logName, 'exchanges what no file has', { inode: first, start1, start2, count });
    for (const [inode, generation] of [
      [first, intent.xmi_igen1],
      [second, intent.xmi_igen2],
    ] as const)
      if (viewOf(volume.inodeRecord(inode)).getUint32(inodeAt.di_gen) !== generation)
        throw new CorruptError(logName, 'exchanges contents with an inode that is another by now', { inode });
    // What is left then is not seen by readers.
    if (count === 0) return;
    if (has(flags, exchangeFlags.shortForm2)) {
      this.#unfinished.warn(first, 'it may be as before a repair that was under way');
      return;
    }
    const which = has(flags, exchangeFlags.attributeFork) ? 'attributes' : 'data';
    const [one, other] = [this.#fork(first, which), this.#fork(second, which)];
    if (which === 'data' && (one.inode.isRealtime || other.inode.isRealtime)) {
      for (const inode of [first, second]) this.#unfinished.warn(inode, onRealtime);
      return;
    }
    exchange(one, start1, other, start2, count, has(flags, exchangeFlags.writtenOnly));
    if (!has(flags, exchangeFlags.setSizes)) return;
    this.#unfinished.inode(first).size = sizeOf(intent.xmi_isize1, first);
    this.#unfinished.inode(second).size = sizeOf(intent.xmi_isize2, second);
  }

  #fork(inode: number, which: 'data' | 'attributes'): ForkEditor {
    const key = `${inode} ${which}`;
    let editor = this.#forks.get(key);
    if (editor === undefined) {
      editor = new ForkEditor(this.#unfinished, inode, which);
      this.#forks.set(key, editor);
    }
    return editor;
  }
}

/** Piece by piece. `writtenOnly`: what is a hole in `one`, or not written, stays in the other. */
function exchange(
  one: ForkEditor,
  start1: number,
  other: ForkEditor,
  start2: number,
  count: number,
  writtenOnly: boolean,
): void {
  for (let done = 0; done < count; ) {
    work.lookups.spend(1);
    const [a, b] = [one.at(start1 + done), other.at(start2 + done)];
    const length = Math.min(a.count, b.count, count - done);
    const isWritten = a.block !== undefined && a.written;
    const isSame = a.block === b.block && (a.block === undefined || a.written === b.written);
    if (!isSame && (isWritten || !writtenOnly)) {
      one.unmap(a.start, length);
      other.unmap(b.start, length);
      if (b.block !== undefined) one.map({ ...b, start: a.start, count: length });
      if (a.block !== undefined) other.map({ ...a, start: b.start, count: length });
    }
    done += length;
  }
}

function sizeOf(size: bigint, inode: number): number {
  if (size > BigInt(Number.MAX_SAFE_INTEGER))
    throw new CorruptError(logName, 'gives a file a size beyond 2^53', { inode });
  return Number(size);
}
