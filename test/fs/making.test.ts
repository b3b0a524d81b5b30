/** Filesystems that are made and tuned while power is lost are whole, or not there yet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../support/platform.js';
import { crashMaking, makings } from './making-model.js';

for (const [name, making] of Object.entries(makings))
  test(`${name}: as a whole, whatever the crash`, (t) => {
    const { cuts, wrong } = crashMaking(making, { most: 20 });
    t.diagnostic(`${cuts} cuts`);
    assert.ok(cuts > 3);
    assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} of ${cuts} cuts`);
  });
