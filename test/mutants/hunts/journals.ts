/** What the journals without a log promise of a commit: all that ran before it survives, data without metadata too. */
import assert from 'node:assert/strict';
import { directJournal, orderedJournal, WriteCache } from '../../../src/disk/index.js';
import { countCrashes } from '../../support/crashes.js';
import type { Crash, RecordingDisk } from '../../support/recording-disk.js';

const blockSize = 1024;
const blocks = 96;
/** Of metadata, of data on the same disk, and of data on another. */
const places = [0, 32, 64] as const;

export function hunt(): string | undefined {
  for (const make of [directJournal, orderedJournal]) {
    /** After each commit, the last value of each block. */
    const promised = new Map<string, readonly number[]>();
    const work = (disk: RecordingDisk): void => {
      const cache = new WriteCache(disk.part(0, 64 * blockSize), { blockSize });
      const other = disk.part(64 * blockSize, 32 * blockSize);
      const journal = make(cache);
      const values = new Array<number>(blocks).fill(0);
      promised.set('0', values.slice());
      disk.mark('0', true);
      for (let round = 1; round < 30; round++) {
        const kind = round % places.length;
        const block = (places[kind] ?? 0) + (round % 7);
        journal.run(1, (transaction) => {
          if (kind === 0) cache.change(transaction, block).bytes[0] = round;
          else {
            const data = kind === 1 ? cache.view : other;
            data.write(Uint8Array.of(round), (kind === 1 ? block : block - places[2]) * blockSize);
            transaction.after(data);
          }
        });
        values[block] = round;
        if (round % 2 === 0) continue;
        journal.commit();
        promised.set(`${round}`, values.slice());
        disk.mark(`${round}`, true);
      }
    };
    const check = ({ image, allowed }: Crash): void => {
      const [last] = allowed;
      const byte = new Uint8Array(1);
      for (const [block, value] of (promised.get(last ?? '') ?? []).entries()) {
        image.read(byte, block * blockSize);
        assert.ok(byte[0] === value || (byte[0] ?? 0) > value, `block ${block} has ${byte[0]} for ${value}`);
      }
    };
    const before = new Uint8Array(blocks * blockSize);
    const [found] = countCrashes(before, work, check, { most: 1000, untilWrong: true }).wrong;
    if (found !== undefined) return `${make.name}: ${found}`;
  }
  return undefined;
}
