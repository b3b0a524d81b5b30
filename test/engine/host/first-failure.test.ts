/** Work that goes on after a failure, and ends at once where the call does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GuestfsError } from '../../../src/base/index.js';
import { FirstFailure } from '../../../src/engine/host/first-failure.js';

const fail = (code: 'ENOENT' | 'EPERM' | 'ENOSPC' | 'EDQUOT' | 'ECANCELED') => (): void => {
  throw new GuestfsError(code, code);
};

test('the first of several errors is thrown at the end', () => {
  const failures = new FirstFailure();
  const done: string[] = [];
  failures.attempt(() => void done.push('one'));
  failures.attempt(fail('ENOENT'));
  failures.attempt(fail('EPERM'));
  failures.attempt(() => void done.push('two'));
  assert.deepEqual(done, ['one', 'two']);
  assert.throws(() => failures.end(), { code: 'ENOENT' });
  new FirstFailure().end();
});

test('a call that ends, a used-up budget, a mistake and what nothing follows are thrown at once', () => {
  const failures = new FirstFailure(({ code }) => code === 'ENOSPC');
  for (const code of ['ECANCELED', 'EDQUOT', 'ENOSPC'] as const)
    assert.throws(() => failures.attempt(fail(code)), { code });
  const mistake = new TypeError('mistake');
  assert.throws(
    () =>
      failures.attempt(() => {
        throw mistake;
      }),
    mistake,
  );
  failures.end();
});
