/** Pages of names: every name once, in the order of the bytes, whatever the order on the disk. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sortBytewise } from '../../src/base/index.js';
import { NameRunFinder } from '../../src/formats/index.js';

const names = Array.from(
  { length: 1000 },
  (_, index) => `${(index * 7919) % 1000}${index % 3 === 0 ? '\udcff' : 'é😀'.slice(index % 2)}`,
);

for (const [order, given] of Object.entries({
  'no order': names,
  ascending: sortBytewise([...names]),
  descending: sortBytewise([...names]).reverse(),
}))
  for (const most of [1, 7, 999, 1000, 1001])
    test(`pages of ${most} of names in ${order} are all of them`, () => {
      const found: string[] = [];
      let passes = 0;
      for (let after = '', more = true; more; passes++) {
        const finder = new NameRunFinder<{ readonly name: string }>(after, most);
        for (const name of given) finder.add({ name });
        const run = finder.run();
        assert.ok(run.entries.length <= most);
        found.push(...run.entries.map(({ name }) => name));
        after = found.at(-1) ?? '';
        more = run.more;
      }
      assert.deepEqual(found, sortBytewise([...names]));
      assert.equal(passes, Math.ceil(names.length / most));
    });
