/** Writes through an allocator: what surrounds them is kept, all or nothing is stored, and no crash loses old bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GuestfsError } from '../../src/base/index.js';
import { type Allocator, type Disk, MappedDisk, type Mapping, MemoryDisk } from '../../src/disk/index.js';
import { surviveCrashes } from '../support/crashes.js';
import { readAll } from '../support/gaits.js';
import { noise, Random } from '../support/random.js';
import { thinDisk } from './thin.js';

const before = noise(128 * 1024, 7);
const open = (base: Disk): Disk => thinDisk(base).disk;
const same = (disk: Disk, model: Uint8Array, what = ''): void =>
  assert.ok(Buffer.compare(readAll(disk), model) === 0, what);

test('random writes and zeroes on holes, shared pieces and pieces in place give what a plain array gives', () => {
  const random = new Random(11);
  const bytes = before.slice();
  const bottom = new MemoryDisk(bytes, { writable: true });
  let { disk, allocator } = thinDisk(bottom);
  const model = readAll(disk);
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const offset = random.below(disk.size);
    const length = 1 + random.below(Math.min(disk.size - offset, random.below(4) === 0 ? 20_000 : 700));
    const kind = random.below(5);
    try {
      if (kind < 3) {
        const from = noise(length, round);
        disk.write(from, offset);
        model.set(from, offset);
      } else {
        disk.zero(offset, length, { discard: kind === 3 });
        model.fill(0, offset, offset + length);
      }
    } catch (thrown) {
      assert.equal((thrown as { code?: string }).code, 'ENOSPC');
      refused++;
      disk.flush(); // what was given up is free again
    }
    if (round % 50 === 0) same(disk, model, `round ${round}`);
    if (round % 300 === 299) {
      disk.flush();
      ({ disk, allocator } = thinDisk(bottom));
      same(disk, model, `opened after round ${round}`);
    }
  }
  assert.ok(refused > 0 && refused < 1500, `${refused} were refused`);
  assert.ok(allocator.free >= 0);
});

test('after any crash each unit shows its old bytes or its new ones, and after a flush the new ones', () => {
  const old = readAll(open(new MemoryDisk(before)));
  const offset = 3000;
  const bytes = noise(9000, 3);
  const expected = old.slice();
  expected.set(bytes, offset);
  expected.fill(0, 20_480, 24_576);
  surviveCrashes(
    before,
    (recording) => {
      recording.mark('old', true);
      const disk = open(recording);
      disk.write(bytes, offset);
      disk.zero(20_480, 4096, { discard: true });
      disk.flush();
      recording.mark('new', true);
    },
    ({ image, allowed }) => {
      const found = readAll(open(image));
      for (let at = 0; at < found.length; at += 512) {
        const unit = Buffer.from(found.subarray(at, at + 512));
        const isNew = unit.equals(expected.subarray(at, at + 512));
        const isOld = allowed.includes('old') && unit.equals(old.subarray(at, at + 512));
        assert.ok(isNew || isOld, `the unit at ${at}`);
      }
    },
    { most: 600 },
  );
});

/** Eight units that are holes, and an allocator that says what is asked of it and fails once. */
function failing(where: 'checkRoom' | 'place' | 'write' | 'link' | 'none', at: number) {
  const asked: string[] = [];
  let count = 0;
  const fail = (here: string): void => {
    if (here === where && ++count === at) throw new GuestfsError('ENOSPC', here);
  };
  class Bottom extends MemoryDisk {
    override write(from: Uint8Array, offset: number): void {
      fail('write');
      asked.push(`write ${offset}+${from.length}`);
      super.write(from, offset);
    }
    override flush(): void {
      asked.push('barrier');
    }
  }
  const below = new Bottom(new Uint8Array(8192).fill(9), { writable: true });
  const allocator: Allocator = {
    unitSize: 1024,
    checkRoom: (length) => {
      asked.push(`room ${length}`);
      fail('checkRoom');
    },
    prepare: () => asked.push('prepare'),
    place: (offset) => {
      fail('place');
      const start = offset - (offset % 1024);
      asked.push(`place ${start}`);
      return { disk: below, offset: 7168 - start, start, length: 1024 };
    },
    link: ({ start }) => {
      fail('link');
      asked.push(`link ${start}`);
    },
    release: ({ start }) => asked.push(`release ${start}`),
    clear: () => false,
    flush: (data) => {
      asked.push('counts');
      data();
      asked.push('maps');
    },
  };
  const disk = new MappedDisk(8192, (offset) => ({ kind: 'hole', length: 8192 - offset }), {
    name: 'failing',
    allocator,
  });
  return { disk, asked };
}

test('what is around a write is copied with it, and all is linked once all is written', () => {
  const { disk, asked } = failing('none', 0);
  assert.equal(disk.writable, true);
  disk.write(new Uint8Array(2000), 500);
  disk.flush();
  disk.flush();
  assert.deepEqual(asked, [
    'room 3072',
    'prepare',
    ...['place 0', 'place 1024', 'place 2048'],
    ...['write 7168+1024', 'write 6144+1024', 'write 5120+1024'],
    ...['link 0', 'link 1024', 'link 2048'],
    ...['counts', 'barrier', 'maps'],
    ...['counts', 'maps'],
  ]);
});

test('a write that fails half way takes back the space of what it did not link', () => {
  const room = ['room 3072'];
  const begun = [...room, 'prepare'];
  const placed = [...begun, 'place 0', 'place 1024', 'place 2048'];
  const written = ['write 7168+1024', 'write 6144+1024', 'write 5120+1024'];
  for (const [where, at, expected] of [
    ['checkRoom', 1, room],
    ['place', 3, [...begun, 'place 0', 'place 1024', 'release 0', 'release 1024']],
    ['write', 2, [...placed, 'write 7168+1024', 'release 0', 'release 1024', 'release 2048']],
    ['link', 2, [...placed, ...written, 'link 0', 'release 1024', 'release 2048']],
  ] as const) {
    const { disk, asked } = failing(where, at);
    assert.throws(() => disk.write(new Uint8Array(2000), 500), { code: 'ENOSPC' });
    assert.deepEqual(asked, expected, where);
  }
});

test('blank space gets no zeroes, and a large write is not copied', () => {
  const written: string[] = [];
  class Bottom extends MemoryDisk {
    override write(from: Uint8Array, offset: number): void {
      written.push(`${offset}+${from.length}`);
      super.write(from, offset);
    }
  }
  const size = 1024 * 1024;
  for (const blank of [true, false]) {
    const below = new Bottom(new Uint8Array(2 * size), { writable: true });
    let linked = false;
    const allocator: Allocator = {
      unitSize: size,
      checkRoom: () => {},
      place: (start) => ({ disk: below, offset: size, start: start - (start % size), length: size, blank }),
      link: () => {
        linked = true;
      },
      release: () => {},
      clear: () => false,
      flush: (data) => data(),
    };
    const lookup = (offset: number): Mapping =>
      linked
        ? { kind: 'data', length: size - offset, disk: below, offset: offset + size }
        : { kind: 'hole', length: size - offset };
    const disk = new MappedDisk(size, lookup, { name: 'blank', allocator });
    written.length = 0;
    disk.write(new Uint8Array(100_000).fill(3), 5000);
    const around = [`${size}+5000`, `${size + 5000}+100000`, `${size + 105_000}+${size - 105_000}`];
    assert.deepEqual(written, blank ? around.slice(1, 2) : around);
    disk.zero(6000, 10);
    const model = new Uint8Array(size).fill(3, 5000, 105_000).fill(0, 6000, 6010);
    same(disk, model);
  }
});
