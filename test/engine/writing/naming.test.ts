/** Labels and UUIDs that the programs of dosfstools and util-linux would have given. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Guestfs } from '../../../src/guestfs/index.js';
import { checkFat, needs, toolEnvironment } from '../../support/tools.js';
import { scratchPath } from '../support.js';

const run = (program: string, ...args: string[]): void => {
  execFileSync(program, args, { env: toolEnvironment, stdio: 'ignore' });
};

function newDisk(mebibytes: number): string {
  const path = scratchPath('named.img');
  writeFileSync(path, '');
  truncateSync(path, mebibytes * 1024 * 1024);
  return path;
}

async function onDisk<T>(path: string, work: (g: Guestfs) => Promise<T>): Promise<T> {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(path, { format: 'raw' });
  await g.launch();
  return await work(g);
}

/** Places where two files differ. */
function differences(one: string, two: string): number[] {
  const [a, b] = [readFileSync(one), readFileSync(two)];
  assert.equal(a.length, b.length);
  const places: number[] = [];
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) places.push(at);
  return places;
}

describe('the label of a FAT volume is where fatlabel puts it', () => {
  for (const [bits, mebibytes] of [
    ['12', 3],
    ['16', 20],
    ['32', 40],
  ] as const)
    for (const old of [[], ['-n', 'OLD']])
      test(`FAT${bits} ${old.join(' ')}`, needs('mkfs.fat', 'fatlabel', 'fsck.fat'), async () => {
        const [ours, theirs] = [newDisk(mebibytes), newDisk(mebibytes)];
        for (const path of [ours, theirs]) run('mkfs.fat', '-F', bits, '-i', '12345678', ...old, path);
        run('fatlabel', theirs, 'New Name');
        await onDisk(ours, async (g) => {
          await g.setLabel('/dev/sda', 'New Name');
          assert.equal(await g.vfsLabel('/dev/sda'), 'New Name');
        });
        checkFat(ours);
        // Nothing but the times, which are in bytes 13 to 25 of the one entry.
        const places = differences(ours, theirs);
        assert.ok(places.length <= 12, places.join());
        assert.ok(
          places.every((at) => at % 32 >= 13 && at % 32 <= 25 && at > 512),
          places.join(),
        );
      });

  test('also while it is mounted, and where the root is full', needs('mkfs.fat', 'fsck.fat'), async () => {
    const path = newDisk(40);
    run('mkfs.fat', '-F32', '-s1', path);
    await onDisk(path, async (g) => {
      await g.mount('/dev/sda', '/');
      for (let i = 0; i < 16; i++) await g.touch(`/F${i}`);
      await g.setLabel('/dev/sda', 'MOUNTED');
      await g.touch('/LAST');
      await g.umount('/');
      assert.equal(await g.vfsLabel('/dev/sda'), 'MOUNTED');
      await g.setLabel('/dev/sda', 'AGAIN');
      await g.mountRo('/dev/sda', '/');
      assert.equal((await g.ls('/')).length, 17);
    });
    checkFat(path);
  });

  test('what fatlabel refuses is refused, and changes nothing', needs('mkfs.fat'), async () => {
    const path = newDisk(3);
    run('mkfs.fat', '-n', 'OLD', path);
    const before = readFileSync(path);
    await onDisk(path, async (g) => {
      for (const label of ['', ' LEAD', 'A*B', 'a.b', 'TWELVECHARSX', 'tab\tx'])
        await assert.rejects(g.setLabel('/dev/sda', label), { code: 'EINVAL' }, label);
    });
    assert.deepEqual(readFileSync(path), before);
  });
});

test('a swap area is named as swaplabel does', needs('mkswap', 'swaplabel'), async () => {
  const uuid = '77777777-2222-3333-4444-555555555555';
  const other = '88888888-2222-3333-4444-555555555555';
  const [ours, theirs] = [newDisk(1), newDisk(1)];
  for (const path of [ours, theirs]) run('mkswap', '-U', uuid, '-L', 'old and longer', path);
  run('swaplabel', '-L', 'new', '-U', other, theirs);
  await onDisk(ours, async (g) => {
    await g.setLabel('/dev/sda', 'new');
    await assert.rejects(g.setLabel('/dev/sda', 'longer than sixteen'), { code: 'EINVAL' });
    await assert.rejects(g.setUuid('/dev/sda', 'nonsense'), { code: 'EINVAL' });
    await g.setUuid('/dev/sda', other);
    assert.equal(await g.vfsLabel('/dev/sda'), 'new');
    assert.equal(await g.vfsUuid('/dev/sda'), other);
  });
  assert.deepEqual(differences(ours, theirs), []);
});
