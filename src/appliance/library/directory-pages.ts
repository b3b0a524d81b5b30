/** Pages of a directory, which the daemon lacks: all names pass by in a stream, and those of the page are kept. */
import { Writable } from 'node:stream';
import { type DirectoryPage, direntLetters } from '../../api/index.js';
import { decodeText, GuestfsError, typeOfMode } from '../../base/index.js';
import { NameRunFinder } from '../../formats/index.js';
import type { LibraryCall } from './call.js';
import { statList } from './lists.js';

/** Takes names that are each ended by a NUL. */
class NameSink extends Writable {
  readonly #finder: NameRunFinder<{ readonly name: string }>;
  /** Of a name that goes on in the next piece. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(finder: NameRunFinder<{ readonly name: string }>) {
    super();
    this.#finder = finder;
    // The writer reports the error; an error event without a listener would end the process.
    this.on('error', () => {});
  }

  override _write(piece: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const bytes = Buffer.concat([this.#rest, piece]);
    let start = 0;
    for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
      this.#finder.add({ name: decodeText(bytes.subarray(start, end)) });
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    done();
  }
}

/** The most entries of a page: each thousand of them is a message. */
const mostEntries = 16_384;

export async function directoryPage(
  call: LibraryCall,
  path: string,
  after: string,
  limit: number,
  withStats: boolean,
): Promise<DirectoryPage> {
  if (limit < 1) throw new GuestfsError('EINVAL', `${limit}: expecting a number of entries`);
  const finder = new NameRunFinder<{ readonly name: string }>(after, Math.min(limit, mostEntries));
  await call.daemon('ls0', [path, new NameSink(finder)]);
  const { entries, more } = finder.run();
  const all = entries.map(({ name }) => name);
  const found = await statList(call, path, all);
  // Files that were removed meanwhile have the inode -1.
  const present = [...all.keys()].filter((index) => (found[index]?.stIno ?? -1) !== -1);
  const stats = present.flatMap((index) => found[index] ?? []);
  return {
    names: present.map((index) => all[index] ?? ''),
    types: stats.map(({ stMode }) => direntLetters[typeOfMode(stMode)]).join(''),
    stats: withStats ? stats : [],
    next: more ? all.at(-1) : undefined,
  };
}
