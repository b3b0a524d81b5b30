/** Random operations on filesystems of many kinds, against a model: `npm run fuzz -- write` does it for long. */
import { test } from 'node:test';
import { needs } from '../../../support/tools.js';
import { checkImage, kinds, makeImage } from './images.js';
import { ModelTest } from './model.js';

const seed = Number(process.env.GUESTFS_TEST_SEED ?? 1);
const count = Number(process.env.GUESTFS_TEST_OPERATIONS ?? 250);

for (const kind of Object.keys(kinds))
  test(`${kind}: what was done is there, and e2fsck agrees (seed ${seed})`, needs('mke2fs', 'e2fsck'), () => {
    const model = new ModelTest(makeImage(kind), seed);
    for (let part = 0; part < 2; part++) {
      model.run(count);
      model.compare(`${kind}, seed ${seed}`);
      model.reopen();
      model.compare(`${kind}, seed ${seed}, reopened`);
      checkImage(model.image, `${kind}, seed ${seed}`);
    }
    model.close();
  });
