/** What is remembered of a KVM that does not run guests. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  findKvmVerdict,
  forgetKvmProblem,
  rememberedKvmProblem,
  rememberKvmProblem,
} from '../../src/appliance/machine/accelerator.js';
import { scratchDirectory } from '../support/scratch.js';

const hv = process.execPath;
const day = 24 * 3600 * 1000;

test('a KVM that failed is done without for a month, one that was only silent for a day', () => {
  const cache = scratchDirectory();
  const at = Date.UTC(2030, 0, 1);
  assert.equal(rememberedKvmProblem(cache, hv, at), undefined);
  rememberKvmProblem(cache, hv, { reason: 'it died', failure: 'failed' }, at);
  assert.equal(rememberedKvmProblem(cache, hv, at + 30 * day - 1), 'it died');
  assert.equal(rememberedKvmProblem(cache, hv, at + 30 * day), undefined);
  rememberKvmProblem(cache, hv, { reason: 'it was silent', failure: 'silent' }, at);
  assert.equal(rememberedKvmProblem(cache, hv, at + day - 1), 'it was silent');
  assert.equal(rememberedKvmProblem(cache, hv, at + day), undefined);
  assert.equal(rememberedKvmProblem(cache, hv, at - 1), undefined, 'a clock that was set back');
  assert.equal(findKvmVerdict(cache, hv, at)?.until, at + day);
  forgetKvmProblem(cache, hv);
  assert.equal(rememberedKvmProblem(cache, hv, at), undefined);
  assert.deepEqual(readdirSync(cache), []);
});

test('what is damaged is no verdict', () => {
  const cache = scratchDirectory();
  rememberKvmProblem(cache, hv, { reason: 'it died', failure: 'failed' });
  const [name = ''] = readdirSync(cache);
  const at = Date.now();
  for (const text of [
    '',
    'null',
    '{',
    '[]',
    '{"reason":1,"at":1}',
    `{"reason":"x","failure":"toString","at":${at}}`,
  ]) {
    writeFileSync(join(cache, name), text);
    assert.equal(rememberedKvmProblem(cache, hv), undefined, text);
  }
});
