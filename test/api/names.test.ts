import assert from 'node:assert/strict';
import test from 'node:test';
import { actionNames, actions, hasOptsName, topics } from '../../src/api/index.js';

test('the list of names has the actions of every topic, in their order: else `npm run action-names`', () => {
  assert.deepEqual(
    [...actionNames],
    Object.values(topics).flatMap((topic) => Object.keys(topic.actions)),
  );
  for (const name of actionNames) {
    const isListed = actions[name].aliases?.some((alias) => alias.endsWith('-opts')) === true;
    assert.equal(hasOptsName(name), isListed, name);
  }
});

test('the record of the actions is one to be listed, and has nothing else', () => {
  const [first] = actionNames;
  assert.equal(Object.keys(actions).length, actionNames.length);
  assert.equal('toString' in actions, false);
  assert.equal((actions as Record<string, unknown>).constructor, undefined);
  assert.ok(first !== undefined && first in actions && Object.hasOwn(actions, first));
});
