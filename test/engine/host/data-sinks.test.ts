/** A host file that takes a result: nothing is changed before the first byte, and what is changed is said before. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { HostFileSink } from '../../../src/engine/host/data-sinks.js';
import { scratchPath } from '../support.js';

function sinkFor(path: string) {
  let touched = false;
  const sink = new HostFileSink(
    path,
    () => {},
    () => {
      touched = true;
    },
  );
  return { sink, isTouched: () => touched };
}

describe('a file that was there', () => {
  const old = (): string => {
    const path = scratchPath('old');
    writeFileSync(path, 'what was there');
    return path;
  };

  test('is as it was until the first byte, and if the call fails before', () => {
    const path = old();
    const { sink, isTouched } = sinkFor(path);
    assert.equal(sink.keepsHoles, true);
    sink.write(new Uint8Array(0));
    sink.hole(0);
    assert.equal(readFileSync(path, 'utf8'), 'what was there');
    sink.abandon();
    assert.equal(readFileSync(path, 'utf8'), 'what was there');
    assert.equal(isTouched(), false);
  });

  for (const [what, begin] of Object.entries({
    byte: (sink: HostFileSink) => sink.write(Uint8Array.of(33)),
    hole: (sink: HostFileSink) => sink.hole(3),
  }))
    test(`is touched by the first ${what}, and stays when the call fails`, () => {
      const path = old();
      const { sink, isTouched } = sinkFor(path);
      begin(sink);
      assert.equal(isTouched(), true);
      sink.abandon();
      assert.ok(existsSync(path));
      assert.notEqual(readFileSync(path, 'utf8'), 'what was there');
    });

  test('is emptied by a result that is empty', () => {
    const path = old();
    const { sink, isTouched } = sinkFor(path);
    sink.finish();
    assert.equal(statSync(path).size, 0);
    assert.equal(isTouched(), true);
  });
});

describe('a new file', () => {
  test('is made by the first byte, or by an empty result; no change stays if the call fails', () => {
    const path = scratchPath('new');
    const { sink, isTouched } = sinkFor(path);
    assert.equal(sink.keepsHoles, true);
    assert.equal(existsSync(path), false);
    sink.write(Uint8Array.of(33));
    assert.equal(existsSync(path), true);
    sink.abandon();
    assert.equal(existsSync(path), false);
    assert.equal(isTouched(), false);
    sinkFor(path).sink.finish();
    assert.equal(statSync(path).size, 0);
  });

  test('that cannot be made is the host’s error, at the first byte', () => {
    const directory = scratchPath('directory');
    mkdirSync(directory);
    for (const [path, code] of [
      [directory, 'EISDIR'],
      [`${directory}/nowhere/file`, 'ENOENT'],
      ['/dev/null/file', 'ENOTDIR'],
    ] as const) {
      const { sink } = sinkFor(path);
      assert.equal(typeof sink.keepsHoles, 'boolean');
      assert.throws(() => sink.write(Uint8Array.of(33)), { name: 'HostError', code });
      sink.abandon();
    }
  });
});
