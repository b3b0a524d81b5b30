/** The budgets of a call: what they let pass, what they refuse, and when the checkpoint is asked. */
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import {
  beginWork,
  defaultLimits,
  endsCall,
  endWork,
  GuestfsError,
  limitNames,
  readLimits,
  work,
} from '../../src/base/index.js';

const limits = { entries: 1000, lookups: 1000, steps: 1000, bytes: 1000, unpacked: 1000 };
const isUsedUp = (thrown: unknown): boolean => thrown instanceof GuestfsError && thrown.code === 'EDQUOT';

describe('the budgets of a call', () => {
  afterEach(endWork);

  for (const name of limitNames) {
    test(`${name}: exactly the limit may be spent, one by one or at once, and one more is an error for ever`, () => {
      beginWork(limits, () => {});
      for (let count = 0; count < 1000; count++) work[name].spend(1);
      assert.throws(() => work[name].spend(1), isUsedUp);
      assert.throws(() => work[name].spend(1), isUsedUp);
      beginWork(limits, () => {});
      work[name].spend(1000);
      assert.throws(() => work[name].spend(1), isUsedUp);
      beginWork(limits, () => {});
      assert.throws(() => work[name].spend(2000), isUsedUp);
    });

    test(`${name}: the error names the budget, its size and the setting that raises it`, () => {
      beginWork(limits, () => {});
      assert.throws(
        () => work[name].spend(1001),
        ({ message }: Error) => message.includes(`1000 ${name}`) && message.includes(`limit_${name}=NUMBER`),
      );
    });
  }

  test('what is given back may be spent again', () => {
    beginWork(limits, () => {});
    for (let round = 0; round < 100; round++) {
      work.bytes.spend(900);
      work.bytes.refund(900);
    }
    work.bytes.spend(1000);
    assert.throws(() => work.bytes.spend(1), isUsedUp);
  });

  test('outside a call there is no limit, and the next call has full budgets', () => {
    beginWork(limits, () => {});
    assert.throws(() => work.entries.spend(5000), isUsedUp);
    endWork();
    for (let count = 0; count < 5000; count++) work.entries.spend(1000);
    beginWork(limits, () => {});
    work.entries.spend(1000);
  });

  test('the checkpoint is asked every few hundred units, and ends the work', () => {
    let asked = 0;
    beginWork(defaultLimits, () => {
      if (++asked === 3) throw new GuestfsError('ECANCELED', 'the call was cancelled');
    });
    let done = 0;
    assert.throws(
      () => {
        for (; done < 1e6; done++) work.entries.spend(1);
      },
      (thrown) => endsCall(thrown),
    );
    assert.ok(done < 2000, `${done} units`);
  });

  test('only a cancelled call and a used-up budget end a call', () => {
    assert.equal(endsCall(new GuestfsError('ECANCELED', '')), true);
    assert.equal(endsCall(new GuestfsError('EIO', '')), false);
    assert.equal(endsCall(new RangeError('')), false);
  });
});

describe('limits', () => {
  test('are the defaults, then those given, then those of backend settings', () => {
    assert.deepEqual(readLimits([]), defaultLimits);
    assert.equal(readLimits(['force_tcg'], { entries: 7 }).entries, 7);
    const limits = readLimits(['limit_entries=5', 'limit_bytes=9', 'limit_entries=6'], {
      entries: 7,
      steps: 8,
    });
    assert.deepEqual(limits, { ...defaultLimits, entries: 5, bytes: 9, steps: 8 });
  });

  for (const setting of ['0', '', '-1', '1e3', 'all', '0x10', '99999999999999999'])
    test(`a backend setting limit_entries=${setting} is refused`, () => {
      assert.throws(() => readLimits([`limit_entries=${setting}`]), { code: 'EINVAL' });
    });
});
