/** An open filesystem below the level of names: its table of files, files by number, and the order of names. */
import { CorruptError, viewOf, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { Attribute } from './attribute.js';
import type { Geometry } from './boot.js';
import { Inode } from './inode.js';
import { attributeTypes, fileNumbers, volumeInformation } from './layout.js';
import { Mft } from './mft.js';
import { numberOf } from './record.js';
import { openStream } from './streams/stream.js';
import { UpCase } from './upcase.js';

/** Files kept, by number modulo this. */
const inodeSlots = 256;

export class NtfsVolume {
  readonly disk: Disk;
  readonly geometry: Geometry;
  readonly mft: Mft;
  readonly warn: (message: string) => void;
  /** Whether names that differ in case are two names: so it is to ntfs-3g unless it is asked otherwise. */
  readonly caseSensitive: boolean;
  readonly #inodes: (Inode | undefined)[] = new Array(inodeSlots).fill(undefined);
  #upcase: UpCase | undefined;

  constructor(
    disk: Disk,
    geometry: Geometry,
    options: { readonly warn: (message: string) => void; readonly caseSensitive: boolean },
  ) {
    this.disk = disk;
    this.geometry = geometry;
    this.warn = options.warn;
    this.caseSensitive = options.caseSensitive;
    this.mft = new Mft(disk, geometry);
  }

  /** A file in use. CorruptError for a reference that names none, because something on the disk led to it. */
  inode(reference: number): Inode {
    const number = numberOf(reference);
    const known = this.#inodes[number % inodeSlots];
    if (known !== undefined && (known.reference === reference || known.number === reference)) return known;
    work.lookups.spend(1);
    const inode = new Inode(this.mft.base(reference), this.mft);
    this.#inodes[number % inodeSlots] = inode;
    return inode;
  }

  /** The contents of an attribute. */
  open(attribute: Attribute): Disk {
    return openStream(this.disk, this.geometry.clusterSize, attribute);
  }

  /** The order of names; read with the first search. */
  get upcase(): UpCase {
    if (this.#upcase === undefined) {
      const { data } = this.inode(fileNumbers.upcase);
      if (data === undefined) throw new CorruptError('NTFS table of upper case', 'has no contents');
      this.#upcase = new UpCase(this.open(data));
    }
    return this.#upcase;
  }

  /** The version, and the flags of the whole filesystem. */
  information(): { readonly major: number; readonly minor: number; readonly flags: number } {
    const value = this.inode(fileNumbers.volume).attributes.find(attributeTypes.volumeInformation)?.first
      .value;
    if (value === undefined) throw new CorruptError('NTFS volume', 'has no information');
    const { major_ver: major, minor_ver: minor, flags } = volumeInformation.decode(viewOf(value));
    return { major, minor, flags };
  }

  close(): void {
    this.#inodes.fill(undefined);
    this.mft.close();
  }
}
