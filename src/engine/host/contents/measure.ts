/** What a tree holds: a digest of all of it, and where the files have contents that are not zeroes. */
import { encodeText } from '../../../base/index.js';
import { platform } from '../../../disk/index.js';
import type { ContentEntry, ContentNode, ContentTree } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import { move } from '../copy-data.js';
import { BlockSieve } from './block-sieve.js';

/** The unit in which zeroes are left out, in bytes: the blocks of the filesystems that are made. */
export const contentBlock = 4096;

/** Blocks of a file, of {@link contentBlock} bytes. */
export interface ContentRun {
  readonly start: number;
  readonly count: number;
}

/** What is in a tree. */
export interface Measured {
  readonly digest: Uint8Array;
  /** All names but the root's, in their order. */
  readonly entries: readonly ContentEntry[];
  /** Of each file with contents. */
  readonly runs: ReadonlyMap<ContentNode, readonly ContentRun[]>;
}

/** Values one after the other, so that no two lists of them are the same bytes. */
class Digester {
  readonly #hash = platform().hash('sha256');
  readonly #piece = new Uint8Array(64 * 1024);
  readonly #view = new DataView(this.#piece.buffer);
  #filled = 0;

  number(value: number): void {
    if (this.#filled + 8 > this.#piece.length) this.#flush();
    this.#view.setFloat64(this.#filled, value);
    this.#filled += 8;
  }

  bytes(value: Uint8Array): void {
    this.number(value.length);
    this.raw(value);
  }

  text(value: string): void {
    this.bytes(encodeText(value));
  }

  end(): Uint8Array {
    this.#flush();
    return this.#hash.digest();
  }

  /** Without its length. */
  raw(value: Uint8Array): void {
    if (this.#filled + value.length > this.#piece.length) this.#flush();
    if (value.length > this.#piece.length) return this.#hash.update(value);
    this.#piece.set(value, this.#filled);
    this.#filled += value.length;
  }

  #flush(): void {
    this.#hash.update(this.#piece.subarray(0, this.#filled));
    this.#filled = 0;
  }
}

/** Reads all contents once. */
export function measure(call: Call, tree: ContentTree): Measured {
  const digester = new Digester();
  const copier = new ContentCopier(call);
  const runs = new Map<ContentNode, readonly ContentRun[]>();
  const numbers = new Map<ContentNode, number>();
  const entries = [...tree.entries()];
  let total = 0;
  for (const { node } of entries) total += node.facts.contents?.sizeInBytes ?? 0;
  let done = 0;
  addFacts(digester, tree.root);
  for (const [index, { node, path }] of entries.entries()) {
    digester.text(path);
    const known = numbers.get(node);
    digester.number(known ?? -1);
    if (known !== undefined) continue;
    numbers.set(node, index);
    addFacts(digester, node);
    const { contents } = node.facts;
    if (contents === undefined) continue;
    call.progress(done, total);
    if (contents.sizeInBytes > 0) runs.set(node, addContents(copier, digester, node));
    done += contents.sizeInBytes;
  }
  return { digest: digester.end(), entries, runs };
}

function addFacts(digester: Digester, { facts }: ContentNode): void {
  const { type, permissions, uid, gid, modified, target, device, xattrs, contents } = facts;
  digester.text(type);
  for (const value of [permissions, uid, gid, modified.seconds, modified.nanoseconds, ...(device ?? [])])
    digester.number(value);
  if (target !== undefined) digester.text(target);
  if (contents !== undefined) digester.number(contents.sizeInBytes);
  digester.number(xattrs.size);
  for (const [name, value] of xattrs) {
    digester.text(name);
    digester.bytes(value);
  }
}

function addContents(copier: ContentCopier, digester: Digester, node: ContentNode): readonly ContentRun[] {
  const found: { start: number; count: number }[] = [];
  copier.copy(node, (bytes, at) => {
    const start = at / contentBlock;
    const count = Math.ceil(bytes.length / contentBlock);
    const last = found.at(-1);
    if (last !== undefined && last.start + last.count === start) last.count += count;
    else found.push({ start, count });
    digester.raw(bytes);
  });
  for (const { start, count } of found) {
    digester.number(start);
    digester.number(count);
  }
  digester.number(-1);
  return found;
}

/** Gives the contents of files, but for their blocks of zeroes. */
export class ContentCopier {
  readonly #call: Call;
  readonly #sieve = new BlockSieve(contentBlock);

  constructor(call: Call) {
    this.#call = call;
  }

  copy({ facts }: ContentNode, give: (bytes: Uint8Array, at: number) => void): void {
    const { contents } = facts;
    if (contents === undefined) return;
    this.#sieve.begin(give);
    const disk = contents.open();
    try {
      move(this.#call, disk, this.#sieve, { progress: () => this.#call.checkpoint() });
    } finally {
      disk.close();
    }
    this.#sieve.end();
  }
}
