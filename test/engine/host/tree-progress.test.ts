/** How far archives and copies of trees are: bytes of contents, of all that there are. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { checksumHandlers } from '../../../src/engine/actions/checksums.js';
import { transferHandlers, zipOut } from '../../../src/engine/actions/transfer.js';
import type { FileOutSink } from '../../../src/engine/host/data-sinks.js';
import type { Call } from '../../../src/engine/thread/call.js';
import { MemoryFileSystem } from '../../support/memory-fs.js';
import { callOn, scratchPath } from '../support.js';

const megabyte = 1024 * 1024;
const cell = new Int32Array(new SharedArrayBuffer(4));

/** Takes long over the contents of each file: progress is told every 50 ms at most. */
class SlowFileSystem extends MemoryFileSystem {
  override data(inode: number) {
    Atomics.wait(cell, 0, 0, 60);
    return super.data(inode);
  }

  override stat(inode: number) {
    const stat = super.stat(inode);
    return { ...stat, linkCount: inode === this.linked ? 2 : 1 };
  }

  linked = 0;
}

const sink: FileOutSink = { keepsHoles: false, write() {}, hole() {}, finish() {}, abandon() {} };

const outputs: Readonly<Record<string, { run: (call: Call) => void; files: number }>> = {
  tar_out: { run: (call) => transferHandlers.tar_out(call, '/', sink, { excludes: ['left-out'] }), files: 4 },
  zip: { run: (call) => zipOut(call, '/', sink, ['left-out'], 6), files: 5 },
  cpio_out: { run: (call) => transferHandlers.cpio_out(call, '/', sink, {}), files: 5 },
  checksums_out: { run: (call) => checksumHandlers.checksums_out(call, 'md5', '/', sink), files: 6 },
  copy_out: {
    run(call) {
      const to = scratchPath();
      mkdirSync(to);
      transferHandlers.copy_out(call, '/', to);
    },
    files: 5,
  },
};

describe('progress', () => {
  for (const [name, { run, files }] of Object.entries(outputs))
    test(`of ${name} is bytes, of all bytes once it takes long`, () => {
      const fileSystem = new SlowFileSystem({
        ...Object.fromEntries(
          ['a', 'd/b', 'd/c', 'e', 'left-out'].map((each) => [each, Buffer.alloc(megabyte)]),
        ),
      });
      fileSystem.linked = fileSystem.lookup(2, 'a') ?? 0;
      fileSystem.addEntry(2, 'another-name', fileSystem.linked);
      const told: (readonly [number, number])[] = [];
      const call = callOn(fileSystem, { progress: (...each) => void told.push(each) });
      let age = 0;
      // Young for its first file, and then old.
      Object.defineProperty(call, 'ageInMs', { get: () => (age += 400) });
      run(call);
      const known = told.filter(([, total]) => total > 0);
      assert.ok(known.length >= 3, JSON.stringify(told));
      let before = 0;
      for (const [position, total] of told) {
        assert.ok(position >= before, JSON.stringify(told));
        before = position;
        if (total !== 0) assert.equal(total, files * megabyte);
        if (total !== 0) assert.ok(position <= total);
      }
      // The last word of a call is the handle's.
      assert.ok(before >= (files - 1) * megabyte, JSON.stringify(told));
    });
});
