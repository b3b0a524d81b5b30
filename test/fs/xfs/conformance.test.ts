/** Each committed filesystem, as foreign tools tell it, and what must come of its damage. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testConformance } from '../conformance.js';
import { suite, xfsVolumes } from './suite.js';

testConformance(suite);

test('there are volumes of both versions, with parents of files, in pieces, grown, with quotas, and with a log', () => {
  for (const name of [
    'plain-v4',
    'v4-1k',
    'v4-attr1',
    'plain-v5',
    'plain-parent',
    'v5-4k',
    'v5-aged',
    'v5-grown',
    'v5-quota',
    'v5-ci',
    'v5-parents',
  ])
    assert.ok(xfsVolumes.names.includes(name), name);
  for (const name of [
    'dirty-v5-stripe',
    'dirty-orphans',
    'dirty-intents',
    'dirty-mappings',
    'dirty-exchange',
    'dirty-attributes',
    'dirty-quota',
  ])
    assert.ok(xfsVolumes.names.includes(name), name);
});
