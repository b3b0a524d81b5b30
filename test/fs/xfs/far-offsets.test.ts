/** A file whose only bytes are at its end, behind sixteen gigabytes of nothing: what the kernel was not asked to sum. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find } from '../../support/tell.js';
import { openBytes } from '../conformance.js';
import { suite } from './suite.js';

const dataAt = 4096 * 4_000_000;
const dataSize = 100;

for (const volume of suite.volumes) {
  const told = volume.truth().files.get('/sizes/huge');
  if (told === undefined) continue;
  test(`${volume.name}: bytes behind a hole of gigabytes`, () => {
    const fs = openBytes(suite.driver, volume.read());
    const data = fs.data(find(fs, '/sizes/huge'));
    assert.equal(data.size, told.size);
    const before = 5000;
    const bytes = new Uint8Array(before + 2 * dataSize);
    data.read(bytes, dataAt - before);
    const wanted = new Uint8Array(bytes.length);
    wanted.fill(0x30, before, before + dataSize);
    assert.deepEqual(bytes, wanted);
    assert.equal(data.span(0, data.size).hole, true);
    assert.equal(data.span(dataAt, dataSize).hole, false);
  });
}
