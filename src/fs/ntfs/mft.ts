/**
 * The table of files, `$MFT`: it is a file itself, and its first record says where the others are. Where it has so many
 * runs that they go on in further records, those are found by the runs before them.
 */
import { CorruptError, LruMap, readMaybe } from '../../base/index.js';
import { BlockCache, type Disk } from '../../disk/index.js';

import { Attributes, addRuns, type RecordSource } from './attribute.js';
import type { Geometry } from './boot.js';
import { attributeTypes, fileNumbers } from './layout.js';
import { fileName, MftRecord, numberOf, sequenceOf } from './record.js';
import { openRuns } from './streams/clusters.js';
import { RunList } from './streams/runs.js';

/** Records kept that continue files: many files of a volume may share none, but the pieces of one are read in a row. */
const keptRecords = 64;

const tableName = 'NTFS table of files';

export class Mft implements RecordSource {
  readonly disk: Disk;
  readonly geometry: Geometry;
  /** Of records that may be in use. */
  readonly recordCount: number;
  readonly #table: Disk;
  readonly #pieces: BlockCache;
  readonly #continuations = new LruMap<number, MftRecord>(keptRecords);

  constructor(disk: Disk, geometry: Geometry) {
    this.disk = disk;
    this.geometry = geometry;
    const { clusterSize, clusterCount, recordSize, mftCluster } = geometry;
    const bytes = readMaybe(disk, mftCluster * clusterSize, recordSize);
    if (bytes === undefined)
      throw new CorruptError(tableName, 'lies outside the disk', { cluster: mftCluster });
    const base = new MftRecord(fileNumbers.mft, bytes);
    const runs = new RunList(tableName, clusterCount);
    let size = 0;
    let known: Disk | undefined;
    const source: RecordSource = {
      disk,
      geometry,
      record: (number) => {
        const record = new Uint8Array(recordSize);
        if (known === undefined) throw new CorruptError(tableName, 'does not begin in its first record');
        known.read(record, number * recordSize);
        return new MftRecord(number, record);
      },
    };
    for (const piece of new Attributes(base, source).pieces(attributeTypes.data, '')) {
      if (runs.end === 0)
        size = Math.min(piece.nonResident?.dataSize ?? 0, piece.nonResident?.initializedSize ?? 0);
      addRuns(runs, piece, tableName);
      known = openRuns(disk, clusterSize, runs, { size, initialized: size }, tableName);
    }
    this.recordCount = Math.floor(Math.min(size, runs.end * clusterSize) / recordSize);
    const held = this.recordCount * recordSize;
    this.#table = openRuns(disk, clusterSize, runs, { size: held, initialized: held }, tableName);
    this.#pieces = new BlockCache(this.#table);
    if (this.recordCount < fileNumbers.firstUser)
      throw new CorruptError(tableName, 'is too short', { records: this.recordCount });
  }

  /** A record as it is on the disk, in use or not. */
  #read(number: number): MftRecord {
    if (!(Number.isSafeInteger(number) && number >= 0 && number < this.recordCount))
      throw new CorruptError(fileName(number), 'does not exist', { files: this.recordCount });
    const { recordSize } = this.geometry;
    const name = fileName(number);
    return new MftRecord(number, this.#pieces.bytes(number * recordSize, recordSize, name).slice());
  }

  /** The first record of a file in use. CorruptError where its record has become another file's. */
  base(reference: number): MftRecord {
    const number = numberOf(reference);
    const record = this.#read(number);
    const sequence = sequenceOf(reference);
    if (!record.inUse) throw new CorruptError(fileName(number), 'is not in use');
    if (sequence !== 0 && sequence !== record.sequence)
      throw new CorruptError(fileName(number), 'is another file by now than the one that is named', {
        named: sequence,
        found: record.sequence,
      });
    if (record.base !== undefined)
      throw new CorruptError(fileName(number), 'continues another file', { file: record.base });
    return record;
  }

  /** A record that continues a file. */
  record(number: number): MftRecord {
    let record = this.#continuations.get(number);
    if (record === undefined) {
      record = this.#read(number);
      this.#continuations.set(number, record);
    }
    return record;
  }

  close(): void {
    this.#continuations.clear();
    this.#pieces.clear();
  }
}
