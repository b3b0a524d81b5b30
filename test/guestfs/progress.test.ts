import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actions, type Progress } from '../../src/api/index.js';
import {
  firstProgressInMs,
  ProgressReporter,
  progressPeriodInMs,
} from '../../src/guestfs/events/progress.js';
import { FakeClock, fakeHandle, launchedHandle } from './fake.js';

function reporter(listens: () => boolean = () => true) {
  const clock = new FakeClock();
  const sent: { at: number; position: number; total: number }[] = [];
  const send = ({ position, total }: Progress): void => {
    sent.push({ at: clock.now(), position, total });
  };
  return { clock, sent, reporter: new ProgressReporter({ clock, procNr: 7, serial: 1, listens, send }) };
}

/** `[position, total]` of each. */
const pairs = (sent: readonly { position: number; total: number }[]): number[][] =>
  sent.map(({ position, total }) => [position, total]);

describe('progress of one call', () => {
  test('nothing is told in the first two seconds', () => {
    const { clock, sent, reporter: it } = reporter();
    for (let at = 0; at < firstProgressInMs; at += 100) {
      it.report(at, 10_000);
      clock.pass(100);
    }
    assert.deepEqual(sent, []);
    it.report(2000, 10_000);
    assert.deepEqual(sent, [{ at: 2000, position: 2000, total: 10_000 }]);
  });

  test('a call that ends within two seconds tells nothing, not even its end', () => {
    const { clock, sent, reporter: it } = reporter();
    it.report(1, 2);
    clock.pass(1900);
    it.report(2, 2);
    it.finish(true);
    assert.deepEqual(sent, []);
  });

  test('at most three messages come in any second', () => {
    const { clock, sent, reporter: it } = reporter();
    for (let at = 0; at < 10_000; at += 10) {
      it.report(at, 10_000);
      clock.pass(10);
    }
    assert.ok(sent.length >= 22 && sent.length <= 24, `${sent.length} in eight seconds`);
    for (const [index, { at }] of sent.entries()) {
      const before = sent[index - 1];
      if (before !== undefined) assert.ok(at - before.at >= progressPeriodInMs);
    }
  });

  test('a call that succeeds ends with position = total, also within a third of a second of the last', () => {
    const { clock, sent, reporter: it } = reporter();
    clock.pass(2500);
    it.report(40, 100);
    clock.pass(10);
    it.finish(true);
    assert.deepEqual(sent, [
      { at: 2500, position: 40, total: 100 },
      { at: 2510, position: 100, total: 100 },
    ]);
  });

  test('the end is not told twice, and nothing is told after it', () => {
    const { clock, sent, reporter: it } = reporter();
    clock.pass(3000);
    it.report(100, 100);
    it.finish(true);
    it.finish(true);
    clock.pass(5000);
    it.report(50, 100);
    it.report(0, 0);
    clock.pass(5000);
    assert.deepEqual(pairs(sent), [[100, 100]]);
  });

  test('a call that fails has no last message', () => {
    const { clock, sent, reporter: it } = reporter();
    clock.pass(3000);
    it.report(10, 100);
    it.finish(false);
    assert.deepEqual(pairs(sent), [[10, 100]]);
  });

  test('positions never fall, and stay between 0 and total whatever the backend says', () => {
    const { clock, sent, reporter: it } = reporter();
    clock.pass(2000);
    for (const [position, total] of [
      [-5, 100],
      [50, 100],
      [30, 100],
      [200, 100],
      [10, 40],
      [Number.NaN, 100],
      [1, Number.NaN],
    ] as const) {
      it.report(position, total);
      clock.pass(400);
    }
    assert.deepEqual(pairs(sent), [
      [0, 100],
      [50, 100],
      [50, 100],
      [100, 100],
      [100, 100],
    ]);
  });

  test('an unknown length pulses with 0 of 1, also while the backend says no more, and ends with 1 of 1', () => {
    const { clock, sent, reporter: it } = reporter();
    it.report(0, 0);
    clock.pass(4000);
    const pulses = sent.length;
    assert.ok(pulses >= 6 && pulses <= 7, `${pulses} in two seconds`);
    assert.equal(sent[0]?.at, 2000);
    it.finish(true);
    assert.deepEqual(pairs(sent), [...Array(pulses).fill([0, 1]), [1, 1]]);
    assert.equal(clock.pending, 0, 'no timer is left');
  });

  test('a pulse stops when a length becomes known', () => {
    const { clock, sent, reporter: it } = reporter();
    it.report(0, 0);
    clock.pass(2100);
    it.report(10, 100);
    clock.pass(5000);
    it.report(20, 100);
    it.finish(true);
    assert.deepEqual(pairs(sent), [
      [0, 1],
      [20, 100],
      [100, 100],
    ]);
  });

  test('a pulse that fails leaves no timer, and no last message', () => {
    const { clock, sent, reporter: it } = reporter();
    it.report(0, 0);
    clock.pass(2000);
    it.finish(false);
    clock.pass(5000);
    assert.deepEqual(pairs(sent), [[0, 1]]);
    assert.equal(clock.pending, 0);
  });

  test('what nobody listens to is discarded, and does not count as told', () => {
    let listening = false;
    const { clock, sent, reporter: it } = reporter(() => listening);
    clock.pass(3000);
    it.report(10, 100);
    it.finish(true);
    assert.deepEqual(sent, []);

    const later = reporter(() => listening);
    later.clock.pass(3000);
    later.reporter.report(10, 100);
    listening = true;
    later.clock.pass(1000);
    later.reporter.report(20, 100);
    later.reporter.finish(true);
    assert.deepEqual(pairs(later.sent), [
      [20, 100],
      [100, 100],
    ]);
  });
});

describe('progress of a handle', () => {
  test('global callbacks and the call alike hear of it, with procNr, serial, position and total', async () => {
    const handle = await launchedHandle();
    const { g, clock } = handle;
    const global: Progress[] = [];
    const own: Progress[] = [];
    const slot: unknown[][] = [];
    g.on('progress', (progress) => global.push(progress));
    g.setProgressCallback((...args) => slot.push(args), 'opaque');
    const call = g.download('/a', '/dev/null', { onProgress: (progress) => own.push(progress) });
    clock.pass(2000);
    handle.backend.events.progress(5, 10);
    handle.backend.last.resolve();
    await call;
    const { proc } = actions.download;
    assert.equal(proc, 67);
    const serial = global[0]?.serial;
    assert.deepEqual(global, [
      { procNr: 67, serial, position: 5, total: 10 },
      { procNr: 67, serial, position: 10, total: 10 },
    ]);
    assert.deepEqual(own, global);
    assert.deepEqual(slot, [
      [g, 'opaque', 67, serial, 5, 10],
      [g, 'opaque', 67, serial, 10, 10],
    ]);
    await g.close();
  });

  test('serial numbers count up, call by call, from where guestfsd begins', async () => {
    const handle = await launchedHandle();
    const serials: number[] = [];
    handle.g.on('progress', ({ serial }) => serials.push(serial));
    for (let round = 0; round < 3; round++) {
      const call = handle.g.zero('/dev/sda');
      handle.clock.pass(2000);
      handle.backend.events.progress(1, 1);
      handle.backend.last.resolve();
      await call;
    }
    assert.deepEqual(serials, [0x123400, 0x123401, 0x123402]);
    await handle.g.close();
  });

  test('the time of a call begins when its turn comes, not when it was made', async () => {
    const handle = await launchedHandle();
    const heard: number[] = [];
    const first = handle.g.zero('/dev/sda');
    const second = handle.g.zero('/dev/sdb', { onProgress: ({ position }) => heard.push(position) });
    handle.clock.pass(10_000);
    handle.backend.last.resolve();
    await first;
    handle.backend.events.progress(1, 4);
    handle.clock.pass(2000);
    handle.backend.events.progress(2, 4);
    handle.backend.last.resolve();
    await second;
    assert.deepEqual(heard, [2, 4]);
    await handle.g.close();
  });

  test('launch has progress too, as guestfsd has: without procedure and serial number', async () => {
    const handle = fakeHandle({
      start: async (backend) => {
        handle.clock.pass(2000);
        backend.events.progress(3, 12);
      },
    });
    const heard: Progress[] = [];
    handle.g.on('progress', (progress) => heard.push(progress));
    handle.g.addDriveScratch(1024);
    await handle.g.launch();
    assert.deepEqual(heard, [
      { procNr: 0, serial: 0, position: 3, total: 12 },
      { procNr: 0, serial: 0, position: 12, total: 12 },
    ]);
    await handle.g.close();
  });

  test('an onProgress that throws becomes a warning, and the call goes on', async () => {
    const handle = await launchedHandle();
    const warnings: string[] = [];
    handle.g.on('warning', (message) => warnings.push(message));
    const call = handle.g.zero('/dev/sda', {
      onProgress: () => {
        throw new Error('bad listener');
      },
    });
    handle.clock.pass(2000);
    handle.backend.events.progress(1, 2);
    handle.backend.last.resolve();
    await call;
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? '', /onProgress of zero failed: Error: bad listener/);
    await handle.g.close();
  });

  test('progress of a call can be iterated over until the call ends', async () => {
    const handle = await launchedHandle();
    const { g, clock } = handle;
    const call = g.zero('/dev/sda');
    const stream = g.events('progress', { until: call });
    clock.pass(2000);
    handle.backend.events.progress(1, 2);
    clock.pass(1000);
    handle.backend.events.progress(2, 2);
    handle.backend.last.resolve();
    const seen: number[] = [];
    for await (const { position } of stream) seen.push(position);
    assert.deepEqual(seen, [1, 2]);
    await call;
    await g.close();
  });
});
