/**
 * Watches on files and directories, as inotify(7) has them, of what a {@link TreeWriter} changes. Opening and reading
 * cause no events here.
 */
import { GuestfsError, systemError, UnsupportedError } from '../base/index.js';
import type { InodeNumber } from '../fs/index.js';
import type { Mount, Place } from './mount.js';
import type { TreeChange } from './tree-change.js';

/** Bits of linux/inotify.h. */
const bits = {
  access: 0x1,
  modify: 0x2,
  attrib: 0x4,
  closeWrite: 0x8,
  closeNoWrite: 0x10,
  open: 0x20,
  movedFrom: 0x40,
  movedTo: 0x80,
  create: 0x100,
  delete: 0x200,
  deleteSelf: 0x400,
  moveSelf: 0x800,
  unmount: 0x2000,
  overflow: 0x4000,
  ignored: 0x8000,
  onlyDirectory: 0x0100_0000,
  dontFollow: 0x0200_0000,
  maskCreate: 0x1000_0000,
  maskAdd: 0x2000_0000,
  isDirectory: 0x4000_0000,
  oneShot: 0x8000_0000,
} as const;
/** The events that can be asked for. */
const everyEvent = 0xfff;
const usualLimit = 16_384;
const noWatch = -1;

/** Whether a mask, which has 32 bits, has a bit. */
const has = (mask: number, bit: number): boolean => Math.floor(mask / bit) % 2 === 1;

/** Exported for the compiler. */
export interface WatchEvent {
  /** The number of the watch. */
  readonly inWd: number;
  readonly inMask: number;
  /** The same for both names of something that moved; else 0. */
  readonly inCookie: number;
  /** In a watched directory; else empty. */
  readonly inName: string;
}

interface Watch {
  readonly number: number;
  place: Place;
  readonly path: string;
  mask: number;
  /** The names of a directory's files, by inode: listed at the first event that needs one. */
  names: Map<InodeNumber, string> | undefined;
}

const isSame = (one: Place, other: Place): boolean =>
  one.mount.fileSystem === other.mount.fileSystem && one.inode === other.inode;

export class Watches {
  readonly limit: number;
  readonly #watches = new Map<number, Watch>();
  #events: WatchEvent[] = [];
  #last = 0;
  #cookies = 0;

  /** `limit`: how many events are kept; 0 for the default. */
  constructor(limit: number) {
    if (limit < 0) throw new GuestfsError('EINVAL', `${limit}: maxevents is negative`);
    this.limit = limit;
  }

  /** Whether a mask says that a link is watched itself. */
  static followsLast(mask: number): boolean {
    return !has(unsigned(mask), bits.dontFollow);
  }

  /** Watches a file, or changes what is watched for. Returns the number of the watch. */
  add(place: Place, path: string, given: number): number {
    const mask = unsigned(given);
    const [adds, creates] = [has(mask, bits.maskAdd), has(mask, bits.maskCreate)];
    const wanted = mask % (everyEvent + 1);
    if (wanted === 0 || (adds && creates)) throw systemError('EINVAL', path);
    if (has(mask, bits.onlyDirectory) && place.type !== 'directory') throw systemError('ENOTDIR', path);
    for (const [bit, what] of [
      [bits.access, 'reading'],
      [bits.open, 'opening'],
      [bits.closeNoWrite, 'closing'],
    ] as const)
      if (has(mask, bit))
        throw new UnsupportedError(path, [`watching for ${what}`], { elsewhere: 'appliance' });
    const kept = wanted + (has(mask, bits.oneShot) ? bits.oneShot : 0);
    const known = [...this.#watches.values()].find((watch) => isSame(watch.place, place));
    if (known === undefined) {
      const number = ++this.#last;
      this.#watches.set(number, { number, place, path, mask: kept, names: undefined });
      return number;
    }
    if (creates) throw systemError('EEXIST', path);
    known.mask = adds ? joined(known.mask, kept) : kept;
    return known.number;
  }

  /** EINVAL for no watch. */
  remove(number: number): void {
    if (!this.#watches.has(number)) throw new GuestfsError('EINVAL', `${number}: no such watch`);
    this.#forget(number);
  }

  /** The events so far, which are forgotten. `mounts`: those that there are. */
  read(mounts: readonly Mount[]): WatchEvent[] {
    for (const watch of [...this.#watches.values()])
      if (!mounts.includes(watch.place.mount)) {
        const isDirectory = watch.place.type === 'directory';
        this.#push(watch.number, bits.unmount + (isDirectory ? bits.isDirectory : 0));
        this.#forget(watch.number);
      }
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** How many events wait to be read. */
  get waiting(): number {
    return this.#events.length;
  }

  /** The watches that there are, in the order of their numbers. */
  list(): readonly {
    readonly number: number;
    readonly path: string;
    readonly place: Place;
    readonly mask: number;
  }[] {
    return [...this.#watches.values()];
  }

  note(change: TreeChange): void {
    if (this.#watches.size === 0) return;
    switch (change.kind) {
      case 'made': {
        const { directory, name, place, isLink } = change;
        if (isLink) this.#self(place, bits.attrib);
        this.#inDirectory(directory, name, place, bits.create);
        for (const watch of this.#on(directory))
          if (watch.names?.has(place.inode) === false) watch.names.set(place.inode, name);
        return;
      }
      case 'removed': {
        const { directory, name, place, isLast } = change;
        if (place.type !== 'directory') this.#self(place, bits.attrib);
        if (isLast) this.#gone(place);
        this.#inDirectory(directory, name, place, bits.delete);
        for (const watch of this.#on(directory))
          if (watch.names?.get(place.inode) === name) watch.names.delete(place.inode);
        return;
      }
      case 'moved':
        return this.#moved(change);
      case 'attributes':
        return this.#both(change.place, bits.attrib);
      case 'contents':
        return this.#both(change.place, bits.modify);
      case 'closed':
        return this.#both(change.place, bits.closeWrite);
    }
  }

  #moved({ from, to, place, replaced }: TreeChange & { kind: 'moved' }): void {
    const cookie = ++this.#cookies;
    this.#inDirectory(from.directory, from.name, place, bits.movedFrom, cookie);
    this.#inDirectory(to.directory, to.name, place, bits.movedTo, cookie);
    if (replaced !== undefined) this.#self(replaced.place, bits.attrib);
    this.#self(place, bits.moveSelf);
    if (replaced?.isLast) this.#gone(replaced.place);
    for (const { directory } of [from, to]) for (const watch of this.#on(directory)) watch.names = undefined;
    // On FAT, a file has another number at another place.
    const inode = to.directory.fileSystem.lookup(to.directory.inode, to.name);
    if (inode !== undefined) for (const watch of this.#on(place)) watch.place = { ...place, inode };
  }

  #on(place: Place): Watch[] {
    return [...this.#watches.values()].filter((watch) => isSame(watch.place, place));
  }

  #inDirectory(directory: Place, name: string, { type }: Place, bit: number, cookie = 0): void {
    const mask = bit + (type === 'directory' ? bits.isDirectory : 0);
    for (const watch of this.#on(directory)) this.#happen(watch, bit, mask, name, cookie);
  }

  #self(place: Place, bit: number): void {
    const isPlain = place.type !== 'directory' || bit === bits.moveSelf || bit === bits.deleteSelf;
    for (const watch of this.#on(place)) this.#happen(watch, bit, bit + (isPlain ? 0 : bits.isDirectory));
  }

  /** An event of a file, which those hear who watch its directory, and then those who watch the file. */
  #both(place: Place, bit: number): void {
    const mask = bit + (place.type === 'directory' ? bits.isDirectory : 0);
    for (const watch of [...this.#watches.values()]) {
      if (watch.place.type !== 'directory' || isSame(watch.place, place)) continue;
      if (watch.place.mount.fileSystem !== place.mount.fileSystem) continue;
      const name = namesOf(watch).get(place.inode);
      if (name !== undefined) this.#happen(watch, bit, mask, name);
    }
    this.#self(place, bit);
  }

  #gone(place: Place): void {
    for (const watch of this.#on(place)) {
      this.#happen(watch, bits.deleteSelf, bits.deleteSelf);
      if (this.#watches.has(watch.number)) this.#forget(watch.number);
    }
  }

  #happen(watch: Watch, bit: number, mask: number, name = '', cookie = 0): void {
    if (!has(watch.mask, bit)) return;
    this.#push(watch.number, mask, name, cookie);
    if (has(watch.mask, bits.oneShot)) this.#forget(watch.number);
  }

  #forget(number: number): void {
    this.#watches.delete(number);
    this.#push(number, bits.ignored);
  }

  /** Adds an event, unless it is the one that is last in the queue. */
  #push(inWd: number, inMask: number, inName = '', inCookie = 0): void {
    const last = this.#events.at(-1);
    if (last?.inWd === inWd && last.inMask === inMask && last.inName === inName) return;
    if (this.#events.length < (this.limit || usualLimit))
      this.#events.push({ inWd, inMask, inCookie, inName });
    else if (last?.inMask !== bits.overflow)
      this.#events.push({ inWd: noWatch, inMask: bits.overflow, inCookie: 0, inName: '' });
  }
}

const unsigned = (mask: number): number => (mask < 0 ? mask + 2 ** 32 : mask);

/** The bits of both. */
function joined(one: number, other: number): number {
  const extra = Object.values(bits).filter((bit) => has(other, bit) && !has(one, bit));
  return extra.reduce((sum: number, bit) => sum + bit, one);
}

function namesOf(watch: Watch): Map<InodeNumber, string> {
  if (watch.names === undefined) {
    watch.names = new Map();
    const { fileSystem, inode } = watch.place;
    for (const entry of fileSystem.entries(inode))
      if (!watch.names.has(entry.inode)) watch.names.set(entry.inode, entry.name);
  }
  return watch.names;
}
