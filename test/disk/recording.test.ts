/** The recorder of crash tests: the states that it shows are those that a disk may be left in, and no others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countCrashes, surviveCrashes } from '../support/crashes.js';
import { readAll } from '../support/gaits.js';
import { noise } from '../support/random.js';
import { type Crash, RecordingDisk } from '../support/recording-disk.js';

const sector = (value: number, sectors = 1): Uint8Array => new Uint8Array(512 * sectors).fill(value);

/** The first byte of each sector. */
function firstBytes({ image }: Crash): string {
  const bytes = readAll(image);
  return Array.from({ length: bytes.length / 512 }, (_, at) => bytes[at * 512]).join('');
}

function states(disk: RecordingDisk): Map<string, string> {
  const found = new Map<string, string>();
  for (const crash of disk.crashes({ seed: 1, most: 1000 })) found.set(crash.name, firstBytes(crash));
  return found;
}

test('what comes before a barrier is stored, and of what follows any part', () => {
  const disk = new RecordingDisk(new Uint8Array(4 * 512));
  disk.write(sector(1), 0);
  disk.flush();
  disk.write(sector(2), 512);
  disk.write(sector(3), 1024);
  disk.write(sector(4), 1536);
  const found = states(disk);
  assert.equal(found.get('end 0'), '0000');
  assert.equal(found.get('end 1'), '1000');
  assert.equal(found.get('end 4'), '1230');
  assert.equal(found.get('end 5'), '1234');
  assert.equal(found.get('end 5 without 3'), '1204');
  assert.equal(found.get('end 5 only 4'), '1004');
  // Each of them, and nothing with a later write but not the one before the barrier.
  assert.deepEqual(
    [...new Set(found.values())].filter((state) => state !== '0000' && !state.startsWith('1')),
    [],
  );
});

test('a write is torn between sectors, never within one', () => {
  const disk = new RecordingDisk(new Uint8Array(4 * 512));
  disk.write(sector(7, 3), 512);
  const found = states(disk);
  assert.equal(found.get('end 1 torn 0 first'), '0770');
  assert.equal(found.get('end 1 torn 0 last'), '0007');
  disk.flush();
  disk.write(sector(9), 0);
  assert.ok(![...states(disk).keys()].some((name) => name.includes('torn 2')));
  const large = new RecordingDisk(new Uint8Array(8192), { sectorSize: 4096 });
  large.write(new Uint8Array(4096).fill(1), 0);
  assert.ok(![...states(large).keys()].some((name) => name.includes('torn')));
});

test('every crash is shown again by its name', () => {
  const disk = new RecordingDisk(noise(64 * 512));
  for (let at = 0; at < 40; at++) {
    disk.write(noise(700, at), at * 512);
    if (at % 7 === 0) disk.zero(at * 256, 1500);
    if (at % 11 === 0) disk.flush();
    if (at % 13 === 0) disk.resize(64 * 512 + at * 100);
  }
  const seen = new Map<string, Uint8Array>();
  for (const crash of disk.crashes({ seed: 5, most: 600 })) seen.set(crash.name, readAll(crash.image));
  const kinds = new Set([...seen.keys()].map((name) => name.split(' ')[2]));
  assert.deepEqual([...kinds].sort(), ['half', 'only', 'torn', undefined, 'without'].sort());
  for (const [name, bytes] of [...seen].reverse())
    assert.ok(Buffer.compare(readAll(disk.crash(name).image), bytes) === 0, name);
});

test('the end of the log shows what the disk itself shows', () => {
  const disk = new RecordingDisk(noise(20_000));
  disk.write(noise(9000, 2), 3000);
  disk.resize(5000);
  disk.resize(25_000);
  disk.zero(1000, 3000);
  disk.flush();
  disk.write(noise(100, 3), 24_900);
  assert.ok(Buffer.compare(readAll(disk.crash(`end ${disk.log.length}`).image), readAll(disk)) === 0);
  assert.ok(
    readAll(disk)
      .subarray(5000, 24_900)
      .every((byte) => byte === 0),
  );
});

test('a crash may show the last durable state, any after it, and the one under way', () => {
  const disk = new RecordingDisk(new Uint8Array(512));
  const allowedAt = (end: number): readonly string[] => disk.crash(`end ${end}`).allowed;
  disk.mark('empty', true);
  disk.write(sector(1), 0);
  disk.mark('one');
  disk.write(sector(2), 0);
  disk.flush();
  disk.mark('two', true);
  disk.write(sector(3), 0);
  disk.mark('three');
  assert.deepEqual(allowedAt(0), ['empty']);
  assert.deepEqual(allowedAt(1), ['empty', 'one']);
  assert.deepEqual(allowedAt(3), ['empty', 'one', 'two']);
  assert.deepEqual(allowedAt(6), ['two', 'three']);
  assert.deepEqual(allowedAt(8), ['two', 'three']);
});

test('a writer that forgets its barrier is found out', () => {
  // Two sectors that must not disagree: the second says that the first is valid.
  const work = (disk: RecordingDisk): void => {
    disk.write(sector(1), 0);
    disk.flush();
    disk.write(sector(1), 512);
  };
  const check = (crash: Crash): void => assert.notEqual(firstBytes(crash), '01');
  const before = new Uint8Array(1024);
  surviveCrashes(before, work, check, { most: 100 });
  const { wrong } = countCrashes(before, work, check, { most: 100, withoutBarriers: [0] });
  assert.ok(wrong.length > 0);
  assert.ok(wrong.every((text) => text.startsWith('end 2 without 0')));
});

test('a choice is made where there are more crashes than wanted', () => {
  const disk = new RecordingDisk(new Uint8Array(1000 * 512));
  for (let at = 0; at < 1000; at++) disk.write(sector(1), at * 512);
  const names = Array.from(disk.crashes({ seed: 3, most: 200 }), ({ name }) => name);
  assert.ok(names.length > 100 && names.length < 400, `${names.length}`);
  assert.deepEqual(
    Array.from(disk.crashes({ seed: 3, most: 200 }), ({ name }) => name),
    names,
  );
});

test('of disks that are recorded together, a barrier stores the changes of one', () => {
  const both = new RecordingDisk(new Uint8Array(4 * 512));
  const one = both.part(0, 1024);
  const other = both.part(1024, 1024);
  one.write(sector(1), 0);
  other.write(sector(2), 0);
  one.flush();
  other.write(sector(3), 512);
  const found = states(both);
  assert.equal(found.get('end 4 without 1'), '1003');
  assert.equal(found.get('end 4 without 3'), '1020');
  assert.ok(!found.has('end 4 without 0'));
});
