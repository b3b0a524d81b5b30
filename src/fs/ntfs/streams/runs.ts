/**
 * Runs: where the clusters of an attribute lie. Each run is a length, and the distance of its first cluster from that of
 * the run before; one without a distance is a hole. A long list goes on in further records, each of which counts from
 * zero again.
 */
import { CorruptError, work } from '../../../base/index.js';
import { runLengthMask, runOffsetShift } from '../layout.js';

/** Neighbouring clusters; without `cluster`, a hole. */
interface Run {
  readonly cluster: number | undefined;
  readonly count: number;
}

/** A little-endian number of `length` bytes; NaN beyond 2^53. */
function readNumber(bytes: Uint8Array, at: number, length: number, signed: boolean): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0);
  const isNegative = signed && (bytes[at + length - 1] ?? 0) >= 0x80;
  if (isNegative) value -= 256 ** length;
  // Eight bytes of a small negative number lose what is below 2^11: only short ones are used.
  return Number.isSafeInteger(value) && (length < 7 || !isNegative)
    ? value
    : readLong(bytes, at, length, signed);
}

function readLong(bytes: Uint8Array, at: number, length: number, signed: boolean): number {
  let value = 0n;
  for (let i = length - 1; i >= 0; i--) value = value * 256n + BigInt(bytes[at + i] ?? 0);
  const number = Number(signed ? BigInt.asIntN(8 * length, value) : value);
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

export class RunList {
  /** Of each run its first cluster in the attribute, and where that lies on the disk; −1 for a hole. */
  readonly #starts: number[] = [];
  readonly #clusters: number[] = [];
  #end = 0;
  readonly #name: string;
  readonly #clusterCount: number;
  /** The last run that was found, since files are mostly read in order. */
  #last = 0;

  /** `clusterCount`: of the filesystem, in which runs lie. */
  constructor(name: string, clusterCount: number) {
    this.#name = name;
    this.#clusterCount = clusterCount;
  }

  /** Clusters that are spoken of. */
  get end(): number {
    return this.#end;
  }

  get runCount(): number {
    return this.#starts.length;
  }

  /** Takes the runs that `bytes` begins with; they go on where the earlier ones ended. */
  add(bytes: Uint8Array): void {
    const corrupt = (problem: string, at: number): CorruptError =>
      new CorruptError(this.#name, problem, { run: this.#starts.length, at });
    let cluster = 0;
    for (let at = 0; at < bytes.length; ) {
      const header = bytes[at] as number; // safe: at < bytes.length
      if (header === 0) return;
      work.lookups.spend(1);
      const lengthSize = header & runLengthMask;
      const offsetSize = header >>> runOffsetShift;
      const next = at + 1 + lengthSize + offsetSize;
      if (lengthSize === 0 || lengthSize > 8 || offsetSize > 8 || next > bytes.length)
        throw corrupt('has an invalid run', at);
      const count = readNumber(bytes, at + 1, lengthSize, true);
      if (!(count > 0) || !Number.isSafeInteger(this.#end + count))
        throw corrupt('has a run of no valid length', at);
      if (offsetSize === 0) this.#append(-1, count);
      else {
        cluster += readNumber(bytes, at + 1 + lengthSize, offsetSize, true);
        if (!(cluster >= 0 && cluster + count <= this.#clusterCount))
          throw corrupt('has a run outside the filesystem', at);
        this.#append(cluster, count);
      }
      at = next;
    }
    throw corrupt('has runs without an end', bytes.length);
  }

  #append(cluster: number, count: number): void {
    this.#starts.push(this.#end);
    this.#clusters.push(cluster);
    this.#end += count;
  }

  /** The run at a cluster of the attribute; undefined behind the last one. */
  find(index: number): Run | undefined {
    if (!(index >= 0 && index < this.#end)) return undefined;
    let at = this.#last;
    if (!this.#holds(at, index)) {
      at++;
      if (!this.#holds(at, index)) at = this.#search(index);
    }
    this.#last = at;
    const start = this.#starts[at] ?? 0;
    const cluster = this.#clusters[at] ?? -1;
    const skip = index - start;
    const count = (this.#starts[at + 1] ?? this.#end) - index;
    return { cluster: cluster < 0 ? undefined : cluster + skip, count };
  }

  #holds(at: number, index: number): boolean {
    const start = this.#starts[at];
    return start !== undefined && start <= index && index < (this.#starts[at + 1] ?? this.#end);
  }

  /** The last run that begins at or before a cluster. */
  #search(index: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) <= index) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
