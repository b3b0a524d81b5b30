/**
 * Files that Windows has compressed as a whole (WOF, "compact OS"): the stream without a name is a hole of the file's
 * size, and the stream `WofCompressedData` has its chunks, behind a table of where each ends. ntfs-3g of the appliance
 * shows such a file as a link that leads nowhere.
 */
import { CorruptError, UnsupportedError, viewOf } from '../../../base/index.js';
import { type Disk, type Lookup, MappedDisk, type Mapping, MemoryDisk } from '../../../disk/index.js';
import { wofChunks, wofFile, wofInfo, wofProviders, wofStreamName } from '../layout.js';

/** Entries of the table that are read at once. */
const entriesAtOnce = 1024;
/** Beyond this size entries have eight bytes. */
const largeFile = 2 ** 32;

/** The method of a file, from its reparse point. UnsupportedError for contents that are in an image of WIM. */
export function wofMethod(data: Uint8Array, name: string): (typeof wofChunks)[number] {
  const { version, provider } = wofInfo.decode(data);
  if (provider === wofProviders.wim)
    throw new UnsupportedError(name, ['WOF: the contents are in an image of WIM (WIMBoot)']);
  if (version !== 1 || provider !== wofProviders.file)
    throw new UnsupportedError(name, [`WOF of version ${version}, provider ${provider}`]);
  const file = wofFile.decode(data, wofInfo.size);
  const method = wofChunks[file.algorithm];
  if (file.version !== 1 || method === undefined)
    throw new UnsupportedError(name, [`WOF's method ${file.algorithm}, version ${file.version}`]);
  return method;
}

/** The table of where chunks end, of which a part is held. */
class ChunkTable {
  readonly #stream: Disk;
  readonly #entrySize: number;
  readonly #count: number;
  readonly #name: string;
  #first = 0;
  #entries: DataView | undefined;

  constructor(stream: Disk, size: number, chunkSize: number, name: string) {
    this.#stream = stream;
    this.#entrySize = size > largeFile ? 8 : 4;
    this.#count = Math.ceil(size / chunkSize) - 1;
    this.#name = name;
    if (this.size > stream.size)
      throw new CorruptError(name, `${wofStreamName} is shorter than its table`, {
        table: this.size,
        size: stream.size,
      });
  }

  /** In bytes. The last chunk ends with the stream, and has no entry. */
  get size(): number {
    return this.#count * this.#entrySize;
  }

  /** Where a chunk ends, in the stream. */
  end(index: number): number {
    if (index >= this.#count) return this.#stream.size;
    if (this.#entries === undefined || index < this.#first || index >= this.#first + entriesAtOnce) {
      this.#first = index - (index % entriesAtOnce);
      const bytes = new Uint8Array(Math.min(entriesAtOnce, this.#count - this.#first) * this.#entrySize);
      this.#stream.read(bytes, this.#first * this.#entrySize);
      this.#entries = viewOf(bytes);
    }
    const at = (index - this.#first) * this.#entrySize;
    const low = this.#entries.getUint32(at, true);
    const end = this.#entrySize === 4 ? low : this.#entries.getUint32(at + 4, true) * 0x1_0000_0000 + low;
    return this.size + end;
  }

  /** Where a chunk lies in the stream. CorruptError where it cannot. */
  place(index: number, decodedSize: number): { readonly start: number; readonly size: number } {
    const start = index === 0 ? this.size : this.end(index - 1);
    const end = this.end(index);
    if (!(start >= this.size && end > start && end <= this.#stream.size && end - start <= decodedSize))
      throw new CorruptError(this.#name, `${wofStreamName} has a bad table`, { chunk: index, start, end });
    return { start, size: end - start };
  }
}

/** The contents of a file of `size` bytes, from the stream that has its chunks. */
export function openWof(stream: Disk, size: number, data: Uint8Array, name: string): Disk {
  const { codec, chunkSize } = wofMethod(data, name);
  if (size === 0) return new MemoryDisk(new Uint8Array(0));
  const table = new ChunkTable(stream, size, chunkSize, name);
  const lookup: Lookup = (offset): Mapping => {
    const skip = offset % chunkSize;
    const index = (offset - skip) / chunkSize;
    const decodedSize = Math.min(chunkSize, size - index * chunkSize);
    const { start, size: packedSize } = table.place(index, decodedSize);
    const length = decodedSize - skip;
    // What compression did not make shorter is there as it is.
    if (packedSize === decodedSize) return { kind: 'data', length, disk: stream, offset: start + skip };
    const unit = {
      key: String(index),
      codec,
      disk: stream,
      offset: start,
      size: packedSize,
      decodedSize,
    } as const;
    return { kind: 'encoded', length, unit, skip };
  };
  return new MappedDisk(size, lookup, { name });
}
