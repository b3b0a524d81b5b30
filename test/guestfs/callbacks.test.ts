import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fakeHandle, imageFile, launchedHandle } from './fake.js';

describe('single-slot callbacks', () => {
  test('each gets the handle and the opaque value first', async () => {
    const handle = fakeHandle();
    const { g } = handle;
    const seen: unknown[][] = [];
    const opaque = { of: 'the caller' };
    g.setLogMessageCallback((...args) => seen.push(['log', ...args]), opaque);
    g.setSubprocessQuitCallback((...args) => seen.push(['quit', ...args]), opaque);
    g.setLaunchDoneCallback((...args) => seen.push(['launched', ...args]), opaque);
    g.setCloseCallback((...args) => seen.push(['close', ...args]), opaque);
    g.setProgressCallback((...args) => seen.push(['progress', ...args]), opaque);
    g.addDrive(imageFile());
    await g.launch();
    const call = g.zero('/dev/sda');
    handle.clock.pass(2000);
    handle.backend.events.log('appliance', 'booting');
    handle.backend.events.progress(1, 1);
    handle.backend.last.resolve();
    await call;
    await g.shutdown();
    await g.close();
    assert.deepEqual(seen, [
      ['launched', g, opaque],
      ['log', g, opaque, 'booting'],
      ['progress', g, opaque, 85, 0x123400, 1, 1],
      ['quit', g, opaque],
      ['close', g, opaque],
    ]);
    for (const [, own, value] of seen) {
      assert.equal(own, g);
      assert.equal(value, opaque);
    }
  });

  test('setting one again replaces it, and null removes it', async () => {
    const handle = await launchedHandle();
    const { g, backend } = handle;
    const seen: string[] = [];
    g.setLogMessageCallback(() => seen.push('one'));
    g.setLogMessageCallback(() => seen.push('two'));
    backend.events.log('appliance', '');
    g.setLogMessageCallback(null);
    backend.events.log('appliance', '');
    g.setLogMessageCallback(null);
    g.setLogMessageCallback(() => seen.push('three'));
    backend.events.log('appliance', '');
    assert.deepEqual(seen, ['two', 'three']);
    await g.close();
  });

  test('without an opaque value it is undefined', async () => {
    const { g } = fakeHandle();
    let seen: unknown[] = [];
    g.setCloseCallback((...args) => {
      seen = args;
    });
    await g.close();
    assert.deepEqual(seen, [g, undefined]);
  });

  test('one replaced inside itself has its turn at the next event', async () => {
    const { g, backend } = await launchedHandle();
    const seen: string[] = [];
    g.setLogMessageCallback((_g, _opaque, message) => {
      seen.push(`one ${message}`);
      g.setLogMessageCallback((_own, _value, text) => seen.push(`two ${text}`));
    });
    backend.events.log('appliance', 'a');
    backend.events.log('appliance', 'b');
    assert.deepEqual(seen, ['one a', 'two b']);
    await g.close();
  });

  test('one removed inside itself hears nothing more', async () => {
    const { g, backend } = await launchedHandle();
    let count = 0;
    g.setLogMessageCallback(() => {
      count += 1;
      g.setLogMessageCallback(null);
    });
    backend.events.log('appliance', 'a');
    backend.events.log('appliance', 'b');
    assert.equal(count, 1);
    await g.close();
  });

  test('they live beside the event callbacks', async () => {
    const { g } = fakeHandle();
    const seen: string[] = [];
    g.on('close', () => seen.push('on'));
    g.setCloseCallback(() => seen.push('slot'));
    g.setEventCallback(() => seen.push('event'), 'close');
    await g.close();
    assert.deepEqual(seen, ['on', 'slot', 'event']);
  });

  test('what is no function is refused', () => {
    const { g } = fakeHandle();
    assert.throws(() => g.setCloseCallback(undefined as never), TypeError);
    assert.throws(() => g.setProgressCallback({} as never), TypeError);
  });
});
