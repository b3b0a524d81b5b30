import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import type { TreeListing } from '../../../src/api/index.js';
import { type Guestfs, Guestfs as Handle } from '../../../src/guestfs/index.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs } from '../../support/tools.js';

const directories = 30;
const filesInEach = 100;

describe('a walk in parts', needs('mke2fs'), () => {
  const directory = scratchDirectory();
  const image = join(directory, 'many.img');

  before(() => {
    const tree = join(directory, 'tree');
    for (let outer = 0; outer < directories; outer++) {
      mkdirSync(join(tree, `d${outer}`), { recursive: true });
      for (let inner = 0; inner < filesInEach; inner++)
        writeFileSync(join(tree, `d${outer}`, `größe ${inner}`), 'x'.repeat(inner));
    }
    execFileSync('mke2fs', ['-q', '-t', 'ext4', '-N', '4000', '-d', tree, image, '16M']);
  });

  async function opened(): Promise<Guestfs> {
    const g = new Handle({ environment: false, stderr: null, backend: 'embedded' });
    g.addDriveRo(image);
    await g.launch();
    await g.mountRo('/dev/sda', '/');
    return g;
  }

  test('is the walk, in its order', async () => {
    await using g = await opened();
    const whole = await g.walk('/');
    const parts: TreeListing[] = [];
    for await (const part of g.walkInParts('/')) parts.push(part);
    assert.ok(parts.length >= 3, `${parts.length}`);
    assert.equal(parts.map(({ paths }) => paths).join(''), whole.paths);
    assert.equal(whole.count, directories * (filesInEach + 1) + 1); // and lost+found
    for (const [name, column] of Object.entries(whole.columns))
      assert.deepEqual(
        // safe: both are listings
        parts.flatMap(({ columns }) => [...columns[name as keyof typeof columns]]),
        [...column],
        name,
      );
  });

  test('that is left early ends its call, and the handle goes on', async () => {
    await using g = await opened();
    for await (const { count } of g.walkInParts('/')) {
      assert.ok(count > 0);
      break;
    }
    assert.equal(g.state, 'ready');
    assert.equal(await g.isDir('/d7'), true);
  });

  test('that is cancelled gives nothing more', async () => {
    await using g = await opened();
    await assert.rejects(g.walkInParts('/', { signal: AbortSignal.abort() }).next(), { code: 'ECANCELED' });
    const abort = new AbortController();
    const parts = g.walkInParts('/', { signal: abort.signal });
    assert.equal((await parts.next()).done, false);
    abort.abort();
    await assert.rejects(
      async () => {
        for await (const part of parts) assert.ok(part.count > 0);
      },
      { code: 'ECANCELED', action: 'walkInParts' },
    );
    assert.equal(g.state, 'ready');
  });

  test('fails where walk does, under its own name', async () => {
    await using g = await opened();
    await assert.rejects(g.walkInParts('/d1/größe 1').next(), { code: 'ENOTDIR', action: 'walkInParts' });
    await assert.rejects(g.walkInParts('/nothing').next(), { code: 'ENOENT', action: 'walkInParts' });
    assert.throws(() => g.walkInParts(7 as never), TypeError);
    const empty = g.walkInParts('/d1');
    await empty.return();
    assert.equal(g.state, 'ready');
  });
});
