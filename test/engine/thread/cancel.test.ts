/** Calls that are given up: soon, wherever they are, leaving nothing. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { beginWork, defaultLimits, endWork, GuestfsError } from '../../../src/base/index.js';
import { grepHandlers } from '../../../src/engine/actions/grep.js';
import { listingHandlers } from '../../../src/engine/actions/listing.js';
import { copyOut } from '../../../src/engine/host/copy-out.js';
import type { Guestfs } from '../../../src/guestfs/index.js';
import { MemoryFileSystem } from '../../support/memory-fs.js';
import { callOn, scratchPath, withExt4 } from '../support.js';

const isCancelled = (thrown: unknown): boolean =>
  thrown instanceof GuestfsError && thrown.code === 'ECANCELED';

type Start = (g: Guestfs, signal: AbortSignal, path: string) => Promise<unknown>;
const stalled = () => new Writable({ highWaterMark: 1, write() {} });

/** Work of many seconds: 5 GiB of zeroes in a file, 100 in a device. */
const starts: Readonly<Record<string, Start>> = {
  'download to a stream that takes nothing': (g, signal) => g.download('/dev/sdb', stalled(), { signal }),
  'checksum of a device': (g, signal) => g.checksumDevice('sha256', '/dev/sdb', { signal }),
  'checksums of a tree': (g, signal, path) => g.checksumsOut('sha512', '/', path, { signal }),
  'tar of a tree': (g, signal) => g.tarOut('/', '/dev/null', { signal }),
  'compressed tar of a tree': (g, signal, path) => g.tgzOut('/', path, { signal }),
  'a compressed device': (g, signal, path) => g.compressDeviceOut('gzip', '/dev/sdb', path, { signal }),
  'base64 of a file': (g, signal) => g.base64Out('/huge', '/dev/null', { signal }),
  'words of a file': (g, signal) => g.wcW('/huge', { signal }),
  'strings of a file': (g, signal) => g.strings('/huge', { signal }),
  'a file compared with itself': (g, signal) => g.equal('/huge', '/huge', { signal }),
  sleep: (g, signal) => g.sleep(60, { signal }),
};

test('zgrep warns of what stands behind the compressed data, unless that is padding', () => {
  const packed = gzipSync('one\ntwo\n');
  for (const [behind, told] of [
    ['garbage', ['/x.gz: 7 bytes behind the compressed data are ignored']],
    ['\0\0\0', []],
  ] as const) {
    const warnings: string[] = [];
    const files = { 'x.gz': Buffer.concat([packed, Buffer.from(behind)]) };
    const call = callOn(new MemoryFileSystem(files), { warn: (message) => warnings.push(message) });
    assert.deepEqual(grepHandlers.zgrep(call, 'w', '/x.gz'), ['two']);
    assert.deepEqual(warnings, told);
  }
});

describe('a call that is cancelled', () => {
  for (const [name, start] of Object.entries(starts)) {
    test(`${name}: ends within 100 ms and leaves the handle usable`, () =>
      withExt4(
        async (g) => {
          // The best of some tries: a machine that is busy with other things says nothing about us.
          let best = Number.POSITIVE_INFINITY;
          const path = scratchPath();
          for (let round = 0; round < 6 && best >= 100; round++) {
            const stop = new AbortController();
            const call = start(g, stop.signal, path);
            const failed = assert.rejects(call, isCancelled);
            await new Promise((resolve) => setTimeout(resolve, 60));
            const cancelled = performance.now();
            stop.abort();
            await failed;
            // The handle hears it at once; the engine is free when the next call is answered.
            assert.equal(await g.cat('/hello.txt'), 'hello, world\n');
            best = Math.min(best, performance.now() - cancelled);
          }
          assert.ok(best < 100, `it took ${best} ms`);
          assert.equal(existsSync(path), false, 'nothing half-written is left');
        },
        100 * 1024 ** 3,
      ));
  }

  test('find stops in the middle of a tree', () => {
    const fileSystem = new MemoryFileSystem(
      Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`d/f${i}`, ''])),
    );
    let asked = 0;
    const call = callOn(fileSystem, { isCancelled: () => ++asked > 3 });
    assert.throws(() => listingHandlers.find(call, '/'), isCancelled);
    assert.equal(asked, 4);
  });

  test('zgrep stops in the middle of what is in a compressed file, and of one that holds nothing but empty blocks', () => {
    const empty = Buffer.alloc(5 * 1_000_000);
    for (let at = 0; at < empty.length; at += 5) empty.set([0, 0, 0, 0xff, 0xff], at);
    const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
    const files = {
      'zeroes.gz': gzipSync(Buffer.alloc(1 << 24)),
      'empty.gz': Buffer.concat([header, empty]),
    };
    for (const name of Object.keys(files)) {
      let asked = 0;
      beginWork(defaultLimits, () => {
        if (++asked > 20) throw new GuestfsError('ECANCELED', 'stopped');
      });
      try {
        const call = callOn(new MemoryFileSystem(files));
        assert.throws(() => grepHandlers.zgrep(call, 'x', `/${name}`), isCancelled);
      } finally {
        endWork();
      }
    }
  });

  test('copy_out stops between files, and leaves no half of one', () => {
    const fileSystem = new MemoryFileSystem({ 'top/a': 'a', 'top/b': 'b', 'top/c': 'c' });
    const directory = scratchPath();
    mkdirSync(directory);
    let asked = 0;
    const call = callOn(fileSystem, { isCancelled: () => ++asked > 5 });
    assert.throws(() => copyOut(call, '/top', directory), isCancelled);
    const copied = readdirSync(`${directory}/top`);
    assert.ok(copied.length < 3, copied.join());
  });
});
