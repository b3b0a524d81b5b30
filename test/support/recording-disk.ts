/**
 * A disk that writes down what is done to it, and then shows every state in which a crash could have left it. Between
 * two barriers a disk may store writes in any order, each of them or none, sector by sector; what came before a
 * barrier is stored (the model of dm-log-writes and of CrashMonkey: Mohan et al., OSDI 2018).
 */
import { GuestfsError } from '../../src/base/index.js';
import { type Disk, type GrowableDisk, SliceDisk, type Span } from '../../src/disk/index.js';
import { CrashImage } from './crash-image.js';
import { Random } from './random.js';

export type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'zero'; readonly offset: number; readonly length: number }
  | { readonly kind: 'resize'; readonly size: number };

export type Recorded =
  | Change
  /**
   * What was changed before from `start` up to `end` is stored: all of a disk, or one of several that are recorded
   * together.
   */
  | { readonly kind: 'barrier'; readonly start: number; readonly end: number }
  /** A call returned: from here on what it did is done. `durable`: it promised to survive a crash, as a sync does. */
  | { readonly kind: 'mark'; readonly name: string; readonly durable: boolean };

/** One state that a crash could leave. */
export interface Crash {
  /** Where in the log it happened, and what was lost: `end 812`, `end 812 without 790`, `end 812 torn 801 first`. */
  readonly name: string;
  /** Lasts until the next crash is asked for. */
  readonly image: GrowableDisk;
  /**
   * The marks of which this image may show the state: from the last durable one before the crash to the next one
   * behind it, whose work was under way.
   */
  readonly allowed: readonly string[];
}

export interface RecordingOptions {
  /** In bytes. Default 512. */
  readonly sectorSize?: number;
  /** Leaves out the barriers with these numbers, from 0: what would happen if a writer forgot them. */
  readonly withoutBarriers?: readonly number[];
}

/** What of the changes since the last barrier is lost. */
type Loss =
  | { readonly kind: 'nothing' | 'all' }
  | { readonly kind: 'without' | 'only' | 'first' | 'last'; readonly change: number }
  | { readonly kind: 'half'; readonly seed: number };

/** Random halves that are tried of the changes between two barriers. */
const halvesTried = 16;

export class RecordingDisk implements GrowableDisk {
  readonly sectorSize: number;
  readonly writable = true;
  readonly #before: Uint8Array;
  readonly #now: CrashImage;
  readonly #log: Recorded[] = [];
  readonly #withoutBarriers: ReadonlySet<number>;
  #barriers = 0;
  /** The first `#durableEnd` entries of the log, applied: what a crash behind a barrier is made of. */
  #durable: Uint8Array | undefined;
  #durableEnd = 0;

  /** `before` is what the disk holds at first; the caller leaves it as it is. */
  constructor(before: Uint8Array, options: RecordingOptions = {}) {
    this.sectorSize = options.sectorSize ?? 512;
    this.#before = before;
    this.#now = new CrashImage(before, this.sectorSize);
    this.#withoutBarriers = new Set(options.withoutBarriers);
  }

  get log(): readonly Recorded[] {
    return this.#log;
  }

  /** How many barriers there were, also of those left out. */
  get barriers(): number {
    return this.#barriers;
  }

  get size(): number {
    return this.#now.size;
  }

  read(into: Uint8Array, offset: number): void {
    this.#now.read(into, offset);
  }

  checkWritable(offset: number, length: number): void {
    this.#now.checkWritable(offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    this.#change({ kind: 'write', offset, bytes: from.slice() });
  }

  zero(offset: number, length: number): void {
    this.#change({ kind: 'zero', offset, length });
  }

  resize(size: number): void {
    this.#change({ kind: 'resize', size });
  }

  span(_offset: number, length: number): Span {
    return { length, hole: false };
  }

  flush(): void {
    this.#barrier(0, Number.POSITIVE_INFINITY);
  }

  #barrier(start: number, end: number): void {
    if (!this.#withoutBarriers.has(this.#barriers++)) this.#log.push({ kind: 'barrier', start, end });
  }

  /** A part as a disk of its own, whose barriers leave the other parts alone: several disks are recorded in one log. */
  part(start: number, size: number): Disk {
    const flush = (): void => this.#barrier(start, start + size);
    return new (class extends SliceDisk {
      override flush(): void {
        flush();
      }
    })(this, start, size);
  }

  close(): void {}

  /** Notes that a state is reached, and whether it was promised to last. */
  mark(name: string, durable = false): void {
    this.#log.push({ kind: 'mark', name, durable });
  }

  #change(change: Change): void {
    apply(change, this.#now);
    this.#log.push(change);
  }

  /**
   * The states that a crash could leave, at most about `most`: first every prefix of the log; then of the changes
   * between two barriers each missing, each alone, each torn, and random halves of them; then such losses at random
   * places before the barrier. Where there are more, a random choice.
   */
  *crashes(options: { readonly seed: number; readonly most: number }): Generator<Crash> {
    const random = new Random(options.seed);
    let left = options.most;
    const take = function* <T>(list: readonly T[]): Generator<T> {
      const share = Math.min(1, left / list.length);
      for (const each of list)
        if (share === 1 || random.next() < share) {
          left--;
          yield each;
        }
    };
    const ends = Array.from({ length: this.#log.length + 1 }, (_, end) => end);
    // A barrier by itself changes nothing: the crash before it shows the same.
    for (const end of take(ends.filter((at) => this.#log[at - 1]?.kind !== 'barrier')))
      yield this.#crash(end, { kind: 'nothing' });
    const epochs = ends.filter((end) => end === this.#log.length || this.#log[end]?.kind === 'barrier');
    const losses = epochs.flatMap((end) => this.#losses(end, random).map((loss) => ({ end, loss })));
    for (const { end, loss } of take(losses)) yield this.#crash(end, loss);
    if (losses.length === 0) return;
    const places = Array.from({ length: left }, () => random.below(ends.length));
    for (const end of places.sort((a, b) => a - b)) {
      const here = this.#losses(end, random);
      const loss = here[random.below(here.length)];
      if (loss !== undefined) yield this.#crash(end, loss);
    }
  }

  /** The state of a name that {@link crashes} gave. */
  crash(name: string): Crash {
    const match =
      /^end (?<end>\d+)(?: without (?<all>all)| (?<kind>without|only|half) (?<value>\d+)| torn (?<torn>\d+) (?<side>first|last))?$/.exec(
        name,
      );
    if (match?.groups === undefined) throw new Error(`no crash is called ‘${name}’`);
    const { end, all, kind, value, torn, side } = match.groups;
    if (all !== undefined) return this.#crash(Number(end), { kind: 'all' });
    if (side !== undefined)
      return this.#crash(Number(end), { kind: side as 'first' | 'last', change: Number(torn) });
    if (kind === 'half') return this.#crash(Number(end), { kind, seed: Number(value) });
    if (kind !== undefined)
      return this.#crash(Number(end), { kind: kind as 'without' | 'only', change: Number(value) });
    return this.#crash(Number(end), { kind: 'nothing' });
  }

  /** Every loss of one change at a crash before log entry `end`, and some of several. */
  #losses(end: number, random: Random): Loss[] {
    const changes = this.#since(end);
    const losses: Loss[] = [];
    // A prefix of the log shows the same, but for a promise that was given since.
    const isPromised = this.#log
      .slice(changes[0] ?? end, end)
      .some((recorded) => recorded.kind === 'mark' && recorded.durable);
    if (isPromised) losses.push({ kind: 'all' });
    for (const change of changes) {
      if (changes.length > 1) losses.push({ kind: 'without', change });
      if (changes.length > 2) losses.push({ kind: 'only', change });
      // safe: #since gives indices of changes
      if (sectorsOf(this.#log[change] as Change, this.sectorSize) > 1)
        losses.push({ kind: 'first', change }, { kind: 'last', change });
    }
    const halves = changes.length > 3 ? halvesTried : 0;
    for (let i = 0; i < halves; i++) losses.push({ kind: 'half', seed: random.below(2 ** 31) });
    return losses;
  }

  /** The changes before `end` that no barrier before `end` has stored, by their places in the log. */
  #since(end: number): number[] {
    const changes: number[] = [];
    const stored: { readonly start: number; readonly end: number }[] = [];
    for (let at = end - 1; at >= 0; at--) {
      const recorded = this.#log[at] as Recorded; // safe: 0 ≤ at < end ≤ length
      if (recorded.kind === 'mark') continue;
      if (recorded.kind === 'barrier') {
        if (recorded.start === 0 && recorded.end === Number.POSITIVE_INFINITY) break;
        stored.push(recorded);
      } else {
        const offset = recorded.kind === 'resize' ? 0 : recorded.offset;
        if (!stored.some((each) => offset >= each.start && offset < each.end)) changes.push(at);
      }
    }
    return changes.reverse();
  }

  /** What is stored for sure at a crash before log entry `end`. */
  #durableAt(start: number): Uint8Array {
    if (this.#durable === undefined || this.#durableEnd > start) {
      this.#durable = this.#before.slice();
      this.#durableEnd = 0;
    }
    if (this.#durableEnd < start) {
      const image = new CrashImage(this.#durable, this.sectorSize);
      for (const recorded of this.#log.slice(this.#durableEnd, start)) apply(recorded, image);
      this.#durable = image.settle(this.#durable);
      this.#durableEnd = start;
    }
    return this.#durable;
  }

  #crash(end: number, loss: Loss): Crash {
    const changes = this.#since(end);
    const durableEnd = changes[0] ?? end;
    const image = new CrashImage(this.#durableAt(durableEnd), this.sectorSize);
    const random = loss.kind === 'half' ? new Random(loss.seed) : undefined;
    const unsure = new Set(changes);
    for (let at = durableEnd; at < end; at++) {
      const change = this.#log[at] as Recorded; // safe: at < end ≤ length
      if (!unsure.has(at)) {
        apply(change, image);
        continue;
      }
      if (loss.kind === 'all') continue;
      if (loss.kind === 'without' && at === loss.change) continue;
      if (loss.kind === 'only' && at !== loss.change) continue;
      if (random !== undefined && random.next() < 0.5) continue;
      if ((loss.kind === 'first' || loss.kind === 'last') && at === loss.change)
        // safe: #since gives indices of changes
        applyAfterCrash(half(change as Change, loss.kind, this.sectorSize), image);
      else applyAfterCrash(change, image);
    }
    return { name: nameOf(end, loss), image, allowed: this.#allowed(end) };
  }

  #allowed(end: number): string[] {
    const names: string[] = [];
    for (const [at, recorded] of this.#log.entries()) {
      if (recorded.kind !== 'mark') continue;
      if (at < end && recorded.durable) names.length = 0;
      names.push(recorded.name);
      if (at >= end) break;
    }
    return names;
  }
}

export type HostError = 'EIO' | 'ENOSPC';

/** A recorded disk whose host fails once, and works again: at one of its writes and barriers. */
export class FailingDisk extends RecordingDisk {
  readonly #code: HostError;
  #left: number;
  /** How many were tried after the one that failed. */
  after = 0;

  /** `at`: which of them fails, from 0. */
  constructor(
    before: Uint8Array,
    { sectorSize = 512, at, code }: { sectorSize?: number; at: number; code: HostError },
  ) {
    super(before, { sectorSize });
    this.#left = at;
    this.#code = code;
  }

  get hasFailed(): boolean {
    return this.#left < 0;
  }

  #count(): void {
    if (this.hasFailed) this.after++;
    if (this.#left-- === 0) throw new GuestfsError(this.#code, 'the host failed');
  }

  override write(from: Uint8Array, offset: number): void {
    this.#count();
    super.write(from, offset);
  }

  override zero(offset: number, length: number): void {
    this.#count();
    super.zero(offset, length);
  }

  override flush(): void {
    this.#count();
    super.flush();
  }
}

function apply(recorded: Recorded, image: GrowableDisk): void {
  if (recorded.kind === 'write') image.write(recorded.bytes, recorded.offset);
  else if (recorded.kind === 'zero') image.zero(recorded.offset, recorded.length);
  else if (recorded.kind === 'resize') image.resize(recorded.size);
}

/** Where a change of size was lost, what is written behind the end makes a file longer. */
function applyAfterCrash(recorded: Recorded, image: GrowableDisk): void {
  if (recorded.kind === 'write' || recorded.kind === 'zero') {
    const end = recorded.offset + lengthOf(recorded);
    if (end > image.size) image.resize(end);
  }
  apply(recorded, image);
}

function lengthOf(change: Change): number {
  if (change.kind === 'resize') return 0;
  return change.kind === 'write' ? change.bytes.length : change.length;
}

/** How many sectors a change touches. */
function sectorsOf(change: Change, sectorSize: number): number {
  if (change.kind === 'resize') return 0;
  const end = change.offset + lengthOf(change);
  return Math.ceil(end / sectorSize) - Math.floor(change.offset / sectorSize);
}

/** The first half of the sectors of a change, or the others. */
function half(change: Change, side: 'first' | 'last', sectorSize: number): Change {
  if (change.kind === 'resize') throw new Error('a change of size is not torn');
  const { offset } = change;
  const end = offset + lengthOf(change);
  const middle =
    (Math.floor(offset / sectorSize) + Math.ceil(sectorsOf(change, sectorSize) / 2)) * sectorSize;
  const [from, to] = side === 'first' ? [offset, middle] : [middle, end];
  return change.kind === 'zero'
    ? { kind: 'zero', offset: from, length: to - from }
    : { kind: 'write', offset: from, bytes: change.bytes.subarray(from - offset, to - offset) };
}

function nameOf(end: number, loss: Loss): string {
  switch (loss.kind) {
    case 'nothing':
      return `end ${end}`;
    case 'all':
      return `end ${end} without all`;
    case 'half':
      return `end ${end} half ${loss.seed}`;
    case 'first':
    case 'last':
      return `end ${end} torn ${loss.change} ${loss.kind}`;
    default:
      return `end ${end} ${loss.kind} ${loss.change}`;
  }
}
