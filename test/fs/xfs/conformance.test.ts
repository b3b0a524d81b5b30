/** Each committed filesystem, as foreign tools tell it, and what must come of its damage. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testConformance } from '../conformance.js';
import { suite, xfsVolumes } from './suite.js';

testConformance(suite);

test('there are volumes of both versions', () => {
  for (const name of ['plain-v4', 'plain-v5']) assert.ok(xfsVolumes.names.includes(name), name);
});
