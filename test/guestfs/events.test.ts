import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { allEvents, type EventName, events } from '../../src/api/index.js';
import type { GuestfsEvent } from '../../src/guestfs/index.js';
import { fakeHandle, launchedHandle, throwsWith } from './fake.js';

describe('event callbacks', () => {
  test('a callback hears the events of its mask, with what they bring', async () => {
    const handle = await launchedHandle();
    const { g, clock } = handle;
    const heard: [GuestfsEvent, number][] = [];
    const eventHandle = g.setEventCallback((event, number, own) => {
      assert.equal(own, g);
      heard.push([event, number]);
    }, allEvents);
    g.setTrace(true);
    const call = g.zero('/dev/sda');
    clock.pass(2000);
    handle.backend.events.progress(1, 1);
    handle.backend.events.log('appliance', 'console\n');
    handle.backend.events.log('library', 'about it');
    handle.backend.events.log('warning', 'careful');
    handle.backend.last.resolve();
    await call;
    await g.close();
    assert.ok(
      heard.every(([event, number]) => number === eventHandle && event.mask === events[event.event].mask),
    );
    const { serial } =
      heard.flatMap(([event]) => (event.event === 'progress' ? [event.progress] : []))[0] ?? {};
    assert.deepEqual(
      heard.map(([{ mask: _, ...event }]) => event),
      [
        { event: 'enter', message: 'set_trace' },
        { event: 'enter', message: 'zero' },
        { event: 'trace', message: 'zero "/dev/sda"' },
        { event: 'progress', progress: { procNr: 85, serial, position: 1, total: 1 } },
        { event: 'appliance', message: 'console\n' },
        { event: 'library', message: 'about it' },
        { event: 'warning', message: 'careful' },
        { event: 'trace', message: 'zero = 0' },
        { event: 'trace', message: 'close' },
        { event: 'close' },
      ],
    );
  });

  test('callbacks for overlapping sets are called in the order of their registration', async () => {
    const { g } = await launchedHandle();
    const order: string[] = [];
    g.setEventCallback(() => order.push('first'), ['enter', 'close']);
    g.on('enter', () => order.push('second'));
    g.setEventCallback(() => order.push('third'), events.enter.mask | events.trace.mask);
    g.setEventCallback(() => order.push('never'), 'launchDone');
    await g.getState();
    assert.deepEqual(order, ['first', 'second', 'third']);
    await g.close();
  });

  test('numbers are the smallest that is free, and 1000 callbacks are the most', () => {
    const { g } = fakeHandle();
    assert.equal(
      g.setEventCallback(() => {}, 'close'),
      0,
    );
    assert.equal(
      g.setEventCallback(() => {}, 'close'),
      1,
    );
    assert.equal(
      g.setEventCallback(() => {}, 'close'),
      2,
    );
    g.deleteEventCallback(1);
    assert.equal(
      g.setEventCallback(() => {}, 'close'),
      1,
    );
    for (let number = 3; number < 1000; number++)
      assert.equal(
        g.setEventCallback(() => {}, 'trace'),
        number,
      );
    throwsWith(() => g.setEventCallback(() => {}, 'trace'), 'ENOSPC', /at most 1000/);
    throwsWith(() => g.on('trace', () => {}), 'ENOSPC', /at most 1000/);
    g.deleteEventCallback(500);
    assert.equal(
      g.setEventCallback(() => {}, 'trace'),
      500,
    );
  });

  test('a deleted callback hears nothing more, and deleting what there is not is nothing', () => {
    const { g } = fakeHandle();
    let count = 0;
    const number = g.setEventCallback(() => {
      count += 1;
    }, 'enter');
    g.getState();
    g.deleteEventCallback(number);
    g.getState();
    g.deleteEventCallback(number);
    g.deleteEventCallback(12345);
    assert.equal(count, 1);
  });

  test('events that there are not are refused', () => {
    const { g } = fakeHandle();
    for (const mask of [0, 0x400, -1, 1.5, Number.NaN])
      throwsWith(() => g.setEventCallback(() => {}, mask), 'EINVAL', /no such events/);
    throwsWith(() => g.setEventCallback(() => {}, []), 'EINVAL', /no such events/);
    throwsWith(() => g.setEventCallback(() => {}, 'subprocess_quit' as 'close'), 'EINVAL', /no such events/);
    throwsWith(() => g.on('nothing' as 'close', () => {}), 'EINVAL', /no such events/);
    throwsWith(() => g.events('toString' as 'close'), 'EINVAL', /no such events/);
    assert.throws(() => g.on('close', 'no function' as never), TypeError);
  });

  test('eventToString gives the C names', () => {
    const { g } = fakeHandle();
    assert.equal(g.eventToString(0), '');
    assert.equal(g.eventToString(events.subprocessQuit.mask), 'subprocess_quit');
    assert.equal(g.eventToString(events.close.mask | events.warning.mask), 'close,warning');
    assert.equal(g.eventToString(allEvents).split(',').length, 10);
    throwsWith(() => g.eventToString(0x400), 'EINVAL', /no such events/);
  });

  test('on gives a function that stops it; once hears one event', () => {
    const { g } = fakeHandle();
    const heard: string[] = [];
    const stop = g.on('enter', (message, own) => {
      assert.equal(own, g);
      heard.push(`on ${message}`);
    });
    g.once('enter', (message) => heard.push(`once ${message}`));
    const never = g.once('enter', () => heard.push('never'));
    never();
    g.getState();
    g.getSmp();
    stop();
    stop();
    g.getHv();
    assert.deepEqual(heard, ['on get_state', 'once get_state', 'on get_smp']);
  });
});

describe('callbacks that misbehave', () => {
  test('one that throws becomes a warning, the others are called, and the action goes on', () => {
    const { g } = fakeHandle();
    const warnings: string[] = [];
    let reached = 0;
    g.on('warning', (message) => warnings.push(message));
    g.on('enter', () => {
      throw new RangeError('bad callback');
    });
    g.on('enter', () => {
      reached += 1;
    });
    assert.equal(g.getSmp(), 1);
    assert.equal(reached, 1);
    assert.deepEqual(warnings, ['the callback for enter failed: RangeError: bad callback']);
  });

  test('a thrown value of any kind becomes a warning', () => {
    const { g } = fakeHandle();
    const warnings: string[] = [];
    g.on('warning', (message) => warnings.push(message));
    const thrown: unknown[] = [null, 'text', Object.create(null), Symbol('s')];
    for (const value of thrown) {
      g.once('enter', () => {
        throw value;
      });
      g.getSmp();
    }
    assert.equal(warnings.length, thrown.length);
  });

  test('one that rejects later becomes a warning', async () => {
    const { g } = fakeHandle();
    const warnings: string[] = [];
    g.on('warning', (message) => warnings.push(message));
    g.on('enter', async () => {
      await setImmediate();
      throw new Error('too late');
    });
    g.getSmp();
    assert.deepEqual(warnings, []);
    await setImmediate();
    await setImmediate();
    assert.deepEqual(warnings, ['the callback for enter failed: Error: too late']);
  });

  test('one for warnings that throws is not told to itself', async () => {
    const { g, written } = fakeHandle();
    let calls = 0;
    g.on('warning', () => {
      calls += 1;
      throw new Error('again');
    });
    g.on('warning', async () => {
      throw new Error('and later');
    });
    g.once('enter', () => {
      throw new Error('first');
    });
    g.getSmp();
    await setImmediate();
    assert.equal(calls, 1);
    assert.deepEqual(written, [
      'libguestfs: warning: the callback for warning failed: Error: again\n',
      'libguestfs: warning: the callback for warning failed: Error: and later\n',
    ]);
  });

  test('one that fails in close does not hinder closing', async () => {
    const { g, written } = await launchedHandle();
    g.on('close', () => {
      throw new Error('cannot save');
    });
    await g.close();
    assert.deepEqual(written, ['libguestfs: warning: the callback for close failed: Error: cannot save\n']);
  });
});

describe('callbacks that change callbacks', () => {
  test('one that removes itself, or a later one, has effect at once', () => {
    const { g } = fakeHandle();
    const heard: string[] = [];
    const stopSelf = g.on('enter', () => {
      heard.push('self');
      stopSelf();
      stopLater();
    });
    const stopLater = g.on('enter', () => heard.push('later'));
    g.on('enter', () => heard.push('last'));
    g.getSmp();
    g.getSmp();
    assert.deepEqual(heard, ['self', 'last', 'last']);
  });

  test('one that is added during an event hears the next, also in the place of a removed one', () => {
    const { g } = fakeHandle();
    const heard: string[] = [];
    const own: number = g.setEventCallback(() => {
      heard.push('old');
      g.deleteEventCallback(own);
      assert.equal(
        g.setEventCallback(() => heard.push('new'), 'enter'),
        own,
      );
    }, 'enter');
    g.getSmp();
    g.getSmp();
    assert.deepEqual(heard, ['old', 'new']);
  });

  test('one that calls the handle: settings answer at once, and actions wait for their turn', async () => {
    const handle = await launchedHandle();
    const { g } = handle;
    handle.backend.answers.set('list_devices', ['/dev/sda']);
    const inside: Promise<string[]>[] = [];
    g.on('progress', () => {
      assert.equal(g.isBusy(), true);
      inside.push(g.listDevices());
    });
    const outer = g.zero('/dev/sda');
    handle.clock.pass(2000);
    handle.backend.events.progress(1, 2);
    assert.equal(handle.backend.calls.length, 1, 'the call of the callback waits');
    handle.backend.last.resolve();
    await outer;
    assert.deepEqual(await inside[0], ['/dev/sda']);
    await g.close();
  });

  test('one that closes the handle: the running call is cut off, what follows is refused', async () => {
    const handle = await launchedHandle();
    const { g } = handle;
    const seen: string[] = [];
    let closing: Promise<void> | undefined;
    g.on('close', () => {
      seen.push(`close in state ${g.state}`);
      assert.equal(g.close(), closing ?? g.close(), 'a second close is the first');
    });
    g.on('progress', () => {
      seen.push('progress');
      closing = g.close();
    });
    const call = g.zero('/dev/sda').catch((error) => seen.push(error.message));
    handle.clock.pass(2000);
    handle.backend.events.progress(1, 2);
    handle.clock.pass(1000);
    handle.backend.events.progress(2, 2);
    await call;
    await closing;
    assert.deepEqual(seen, ['progress', 'close in state closed', 'zero: the handle was closed']);
    assert.equal(handle.backend.shutdowns, 1);
  });
});

describe('events to iterate over', () => {
  test('those that came before the first reading are given, and the loop ends with the handle', async () => {
    const { g } = fakeHandle();
    const stream = g.events('enter');
    g.getSmp();
    g.getHv();
    setTimeout(() => {
      g.getPath();
      void g.close();
    }, 1);
    const seen: string[] = [];
    for await (const name of stream) seen.push(name);
    assert.deepEqual(seen, ['get_smp', 'get_hv', 'get_path']);
  });

  test('an abort ends it quietly, and leaving the loop stops it', async () => {
    const { g } = fakeHandle();
    const stop = new AbortController();
    const stream = g.events('enter', { signal: stop.signal });
    g.getSmp();
    stop.abort();
    g.getHv();
    const seen: string[] = [];
    for await (const name of stream) seen.push(name);
    assert.deepEqual(seen, ['get_smp']);

    const other = g.events('enter');
    g.getSmp();
    for await (const _ of other) break;
    g.getHv();
    assert.deepEqual(await other.next(), { value: undefined, done: true });
    assert.equal(
      g.setEventCallback(() => {}, 'enter'),
      0,
      'no callback is left behind',
    );
  });

  test('a promise that fails ends it as well as one that succeeds', async () => {
    const { g } = fakeHandle();
    const stream = g.events('enter', { until: Promise.reject(new Error('of the caller')) });
    for await (const _ of stream) assert.fail('nothing came');
  });

  test('several readers get one event each', async () => {
    const { g } = fakeHandle();
    const stream = g.events('enter');
    const both = Promise.all([stream.next(), stream.next()]);
    g.getSmp();
    g.getHv();
    assert.deepEqual(
      (await both).map(({ value }) => value),
      ['get_smp', 'get_hv'],
    );
    await g.close();
  });
});

describe('where messages go that nobody hears', () => {
  test('trace and warnings are written, with the identifier; log messages only if verbose', async () => {
    const handle = await launchedHandle();
    const { g, written } = handle;
    handle.backend.events.log('appliance', 'quiet\n');
    handle.backend.events.log('library', 'quiet');
    g.setTrace(true);
    g.getSmp();
    g.setIdentifier('disk1');
    g.setVerbose(true);
    g.setTrace(false);
    handle.backend.events.log('appliance', 'raw\n');
    handle.backend.events.log('library', 'loud');
    handle.backend.events.log('warning', 'careful');
    assert.deepEqual(written, [
      'libguestfs: trace: get_smp\n',
      'libguestfs: trace: get_smp = 1\n',
      'libguestfs: trace: set_identifier "disk1"\n',
      'libguestfs: trace: disk1: set_identifier = 0\n',
      'libguestfs: trace: disk1: set_verbose true\n',
      'libguestfs: trace: disk1: set_verbose = 0\n',
      'libguestfs: trace: disk1: set_trace false\n',
      'libguestfs: trace: disk1: set_trace = 0\n',
      'raw\n',
      'libguestfs: loud\n',
      'libguestfs: warning: careful\n',
    ]);
    await g.close();
  });

  test('what a guest named neither forges a line nor drives a terminal; callbacks get it as it is', async () => {
    const handle = await launchedHandle();
    const { g, written } = handle;
    g.setVerbose(true);
    const name = '\u001b]0;title\u0007x\r\nlibguestfs: trace: launch = 0 ä\udcff \\n';
    handle.backend.events.log('warning', name);
    handle.backend.events.log('library', name);
    handle.backend.answers.set('ls', [name]);
    g.setTrace(true);
    await g.ls('/');
    g.setTrace(false);
    const shown = '\\x1b]0;title\\x07x\\r\\nlibguestfs: trace: launch = 0 ä\\xff \\n';
    assert.deepEqual(
      written.filter((line) => line.includes('title')),
      [`libguestfs: warning: ${shown}\n`, `libguestfs: ${shown}\n`, `libguestfs: trace: ls = ["${shown}"]\n`],
    );
    // The appliance's log has lines of its own, which stay; a return in the midst of one would write over it.
    written.length = 0;
    handle.backend.events.log('appliance', 'one\r\ntwo\u001b[2J\rhidden\nthree\r');
    assert.deepEqual(written, ['one\r\ntwo\\x1b[2J\\rhidden\nthree\r']);
    const heard: string[] = [];
    g.on('warning', (message) => heard.push(message));
    handle.backend.events.log('warning', name);
    assert.deepEqual(heard, [name]);
    await g.close();
  });

  test('a callback takes their place', async () => {
    const handle = await launchedHandle();
    const { g, written } = handle;
    const heard: string[] = [];
    for (const name of ['appliance', 'library', 'trace', 'warning'] as const satisfies EventName[])
      g.on(name, (message) => heard.push(message));
    g.setVerbose(true);
    g.setTrace(true);
    handle.backend.events.log('appliance', 'a');
    handle.backend.events.log('library', 'b');
    handle.backend.events.log('warning', 'c');
    g.setTrace(false);
    assert.deepEqual(heard, ['a', 'b', 'c', 'set_trace false', 'set_trace = 0']);
    assert.deepEqual(written, []);
    await g.close();
  });

  test('with stderr: null they go nowhere', async () => {
    const { g } = fakeHandle({ stderr: null });
    g.setTrace(true);
    g.getSmp();
    await g.close();
  });
});
