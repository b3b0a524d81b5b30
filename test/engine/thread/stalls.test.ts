/** Consumers that take nothing, streams that never end, pipes that nobody reads: none of them holds up anything. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GuestfsError } from '../../../src/base/index.js';
import type { Guestfs, SinkControls } from '../../../src/guestfs/index.js';
import { needs } from '../../support/tools.js';
import { ext4Image, scratchPath, withExt4 } from '../support.js';

const isCancelled = (thrown: unknown): boolean =>
  thrown instanceof GuestfsError && thrown.code === 'ECANCELED';

function fifo(): string {
  const path = scratchPath('fifo');
  execFileSync('mkfifo', [path]);
  return path;
}

type Download = (g: Guestfs, controls?: SinkControls) => Promise<void>;

/** Downloads whose worker is done at once, or never; and nobody takes anything. */
const stalls: Readonly<Record<string, Download>> = {
  'a reader of a few bytes': (g, controls) =>
    g.download('/hello.txt', new Writable({ highWaterMark: 1, write() {} }), controls),
  'a reader of much': (g, controls) =>
    g.download('/dev/sda', new Writable({ highWaterMark: 1, write() {} }), controls),
  'a web stream': (g, controls) =>
    g.download('/hello.txt', new WritableStream({ write: () => new Promise(() => {}) }), controls),
  'the end of a stream': (g, controls) =>
    g.download(
      '/hello.txt',
      new Writable({ write: (_chunk, _encoding, done) => done(), final() {} }),
      controls,
    ),
  'the end of a web stream': (g, controls) =>
    g.download('/hello.txt', new WritableStream({ close: () => new Promise(() => {}) }), controls),
  'a pipe without a reader': (g, controls) => g.download('/hello.txt', fifo(), controls),
  'a pipe that is full': (g, controls) => {
    const path = fifo();
    openSync(path, 'r+'); // a reader that reads nothing
    return g.download('/dev/sda', path, controls);
  },
};

const ways: Readonly<Record<string, (g: Guestfs, stop: AbortController) => void>> = {
  signal: (_g, stop) => stop.abort(),
  userCancel: (g) => void g.userCancel(),
};

describe('what stalls', needs('mkfifo'), () => {
  for (const [name, start] of Object.entries(stalls)) {
    for (const [way, end] of Object.entries(ways))
      test(`${name}: ${way} ends the call soon, and the handle goes on`, () =>
        withExt4(async (g) => {
          const stop = new AbortController();
          const failed = assert.rejects(start(g, { signal: stop.signal }), isCancelled);
          await sleep(100);
          const began = performance.now();
          end(g, stop);
          await failed;
          const took = performance.now() - began;
          assert.ok(took < 1000, `it took ${took} ms`);
          assert.equal(await g.cat('/hello.txt'), 'hello, world\n');
          assert.equal(Buffer.from(await g.readFile('/noise')).length, 32_000);
        }));
    test(`${name}: close ends everything soon`, () =>
      withExt4(async (g) => {
        const failed = assert.rejects(start(g), isCancelled);
        await sleep(100);
        const began = performance.now();
        await g.close();
        await failed;
        const took = performance.now() - began;
        assert.ok(took < 2000, `it took ${took} ms`);
      }));
  }

  test('a process that exits is held up by no pipe', () => {
    const program = scratchPath('exits.mjs');
    const library = `${process.cwd()}/build/src/guestfs/index.js`;
    writeFileSync(
      program,
      `import { Guestfs } from ${JSON.stringify(library)};
       const g = new Guestfs({ environment: false });
       g.addDrive(process.argv[2], { readonly: true, format: 'raw' });
       await g.launch();
       await g.mountRo('/dev/sda', '/');
       g.download('/hello.txt', process.argv[3]).catch(() => {});
       setTimeout(() => process.exit(7), 200);`,
    );
    const { status } = spawnSync(process.execPath, [program, ext4Image(), fifo()], { timeout: 20_000 });
    assert.equal(status, 7);
  });

  test('a pipe gets all bytes, whenever its reader comes and however slow it is', () =>
    withExt4(async (g) => {
      const path = fifo();
      const to = scratchPath();
      const call = g.download('/dev/sda', path);
      await sleep(150);
      const reader = spawn('sh', ['-c', `(head -c 100000; sleep 0.2; cat) < '${path}' > '${to}'`]);
      const ended = new Promise((resolve) => reader.once('close', resolve));
      await call;
      await ended;
      assert.ok(readFileSync(to).equals(readFileSync(ext4Image())));
    }));

  test('a reader that leaves is an error of the call', () =>
    withExt4(async (g) => {
      const path = fifo();
      spawn('sh', ['-c', `head -c 10 < '${path}' > /dev/null`]);
      await assert.rejects(g.download('/dev/sda', path), (thrown: GuestfsError) => thrown.code === 'EPIPE');
      assert.equal(await g.cat('/hello.txt'), 'hello, world\n');
    }));
});
