/** Starts of the real appliance, by booting and from the state that a boot left: the one must be as good as the other. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import type { Guestfs } from '../../src/guestfs/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { assertNothingLeft, handle, launchTimeout, type Place, place, real, type Told } from './support.js';

/** The states in a place. */
function statesIn({ cache }: Place): string[] {
  const own = readdirSync(cache).map((name) => join(cache, name));
  return own.flatMap((path) =>
    readdirSync(path)
      .filter((name) => /^start-[0-9a-f]{16}$/.test(name))
      .map((name) => join(path, name)),
  );
}

const sum = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const sumsOf = (state: string): string[] => ['memory', 'root.qcow2'].map((name) => sum(join(state, name)));

/** Whether a launch booted: the kernel says nothing when it goes on. */
interface Launched {
  readonly g: Guestfs;
  readonly told: Told;
  readonly booted: boolean;
}

async function launch(
  t: TestContext,
  where: Place,
  {
    settings = ['force_tcg'],
    change = () => {},
  }: { settings?: string[]; change?: (g: Guestfs) => void } = {},
): Promise<Launched> {
  const { g, told } = handle(t, where, { settings });
  let booted = false;
  g.on('appliance', (line) => {
    booted ||= line.includes('Starting /init');
  });
  change(g);
  await g.launch();
  return { g, told, booted };
}

const fixture = (name: string): Buffer => readFixtureBuffer(`${name}.gz`);

const random = async (g: Guestfs): Promise<string> =>
  await g.debug('sh', ['cat /proc/sys/kernel/random/uuid /etc/machine-id; od -An -tx1 -N32 /dev/urandom']);

describe('the second start of an appliance', real, () => {
  const directory = mkdtempSync(join(tmpdir(), 'guestfs-test-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  let where: Place;

  test('the first boots, and keeps a state that only its user may read', launchTimeout, async (t) => {
    where = { ...place(t), cache: directory };
    const { g, booted, told } = await launch(t, where);
    assert.ok(booted);
    assert.deepEqual(told.warnings, []);
    assert.equal(statesIn(where).length, 1);
    assert.deepEqual(await g.listDevices(), ['/dev/sda']);
    await g.close();
    await assertNothingLeft(where);
  });

  test('the second goes on from there, and leaves the state as it was', launchTimeout, async (t) => {
    where = { ...place(t), cache: directory };
    const [state = ''] = statesIn(where);
    const before = sumsOf(state);
    const { g, booted, told } = await launch(t, where);
    assert.ok(!booted);
    assert.deepEqual(told.warnings, []);
    await g.mkfs('ext4', '/dev/sda');
    await g.mount('/dev/sda', '/');
    await g.write('/file', 'content');
    assert.equal(await g.cat('/file'), 'content');
    await g.close();
    assert.deepEqual(sumsOf(state), before);
    await assertNothingLeft(where);
  });

  test(
    'two that go on from the same state draw different numbers, and know the time',
    launchTimeout,
    async (t) => {
      where = { ...place(t), cache: directory };
      const both = await Promise.all([launch(t, where), launch(t, where)]);
      assert.deepEqual(
        both.map(({ booted }) => booted),
        [false, false],
      );
      const facts = await Promise.all(
        both.map(async ({ g }) => {
          const numbers = await random(g);
          const before = Date.now() / 1000;
          const clock = Number(await g.debug('sh', ['date +%s.%N']));
          const after = Date.now() / 1000;
          await g.mkfs('ext4', '/dev/sda');
          return { numbers, uuid: await g.vfsUuid('/dev/sda'), behind: before - clock, ahead: clock - after };
        }),
      );
      const words = facts.flatMap(({ numbers }) =>
        numbers
          .trim()
          .split('\n')
          .map((line) => line.trim()),
      );
      assert.equal(words.length, 8);
      assert.equal(new Set(words).size, words.length, words.join('\n'));
      assert.notEqual(facts[0]?.uuid, facts[1]?.uuid);
      // The clock is set while the launch lasts; two launches at once take their time.
      for (const { behind, ahead } of facts) {
        assert.ok(behind < 5, `the clock is ${behind} seconds behind`);
        assert.ok(ahead < 0.5, `the clock is ${ahead} seconds ahead`);
      }
      for (const { g } of both) await g.close();
    },
  );

  test(
    'drives have their names in order, and what is on them is found as at a boot',
    launchTimeout,
    async (t) => {
      where = { ...place(t), cache: directory };
      const names = ['lvm/one-a.img', 'lvm/one-b.img', 'lvm/one-c.img', 'scenarios/gpt.img'];
      const paths = names.map((name) => {
        const path = join(where.directory, name.replace('/', '-'));
        writeFileSync(path, fixture(name));
        return path;
      });
      const addDrives = (g: Guestfs): void => {
        for (const path of paths) g.addDrive(path, { readonly: true, format: 'raw' });
        for (const [index, label] of [...'abc'].entries())
          g.addDriveScratch((index + 1) * 2 ** 20, { label });
      };
      const tell = async ({ g, booted }: Launched) => {
        const devices = await g.listDevices();
        const sizes: number[] = [];
        for (const device of devices) sizes.push(await g.blockdevGetsize64(device));
        const facts = {
          devices,
          sizes,
          labels: [...(await g.listDiskLabels())].sort(),
          partitions: await g.listPartitions(),
          volumes: await g.lvs(),
          groups: await g.vgs(),
        };
        await g.close();
        return { booted, facts };
      };
      const kept = await tell(await launch(t, where, { change: addDrives }));
      const cold = await tell(
        await launch(t, where, { change: addDrives, settings: ['force_tcg', 'no_snapshot_start'] }),
      );
      assert.deepEqual([kept.booted, cold.booted], [false, true]);
      assert.ok(kept.facts.volumes.length > 0 && kept.facts.partitions.length > 0);
      assert.deepEqual(kept.facts, cold.facts);
    },
  );

  test('a drive that cannot be opened is told of as such, and the state stays', launchTimeout, async (t) => {
    where = { ...place(t), cache: directory };
    const states = statesIn(where);
    const { g } = handle(t, where);
    const path = join(where.directory, 'damaged.qcow2');
    const image = Buffer.alloc(65536);
    image.write('QFI\xfb', 0, 'latin1');
    image.writeUInt32BE(3, 4);
    writeFileSync(path, image);
    g.addDrive(path, { format: 'bochs' });
    await assert.rejects(g.launch(), /damaged\.qcow2/);
    assert.equal(g.state, 'config');
    assert.deepEqual(statesIn(where), states);
    await g.close();
    await assertNothingLeft(where);
  });

  test('a machine of another size, or one that is not to, does not use it', launchTimeout, async (t) => {
    where = { ...place(t), cache: directory };
    const before = statesIn(where);
    const { g, booted } = await launch(t, where, { settings: ['force_tcg', 'no_snapshot_start'] });
    assert.ok(booted);
    await g.close();
    assert.deepEqual(statesIn(where), before);
    const other = await launch(t, where, { change: (each) => each.setMemsize(600) });
    assert.ok(other.booted);
    await other.g.close();
    assert.equal(statesIn(where).length, 2);
    for (const state of statesIn(where)) if (!before.includes(state)) rmSync(state, { recursive: true });
  });

  for (const [damage, how] of [
    ['cut off', (path: string) => truncateSync(path, 1_000_000)],
    [
      'changed in one byte',
      (path: string) => {
        const bytes = readFileSync(path);
        const at = Math.floor(bytes.length / 2);
        bytes.writeUInt8(bytes.readUInt8(at) ^ 0x40, at);
        writeFileSync(path, bytes);
      },
    ],
  ] as const) {
    test(
      `a state that was ${damage} is not used: the appliance boots, and keeps a new one`,
      launchTimeout,
      async (t) => {
        where = { ...place(t), cache: directory };
        const [state = ''] = statesIn(where);
        how(join(state, 'memory'));
        const damaged = sum(join(state, 'memory'));
        const { g, booted, told } = await launch(t, where);
        assert.ok(booted);
        assert.ok(told.library.some((line) => line.endsWith('it is booted instead')));
        assert.deepEqual(await g.listDevices(), ['/dev/sda']);
        await g.close();
        assert.ok(existsSync(state));
        assert.notEqual(sum(join(state, 'memory')), damaged);
        await assertNothingLeft(where);
      },
    );
  }

  test('where no state can be kept, a warning says so, and the appliance boots', launchTimeout, async (t) => {
    where = { ...place(t), cache: directory };
    const [state = ''] = statesIn(where);
    rmSync(state, { recursive: true });
    // A file where the directory belongs.
    writeFileSync(state, '');
    const unfit = handle(t, where);
    await unfit.g.launch();
    await unfit.g.close();
    assert.ok(existsSync(join(state, 'memory')), 'what stood there made way');
  });
});

test('a machine that boots knows the time, whatever the clock of its board says', real, async (t) => {
  const where = place(t);
  const change = (g: Guestfs): void => g.config('-rtc', 'base=2001-02-03T04:05:06');
  const { g, booted } = await launch(t, where, { change });
  assert.ok(booted);
  const before = Date.now() / 1000;
  const clock = Number(await g.debug('sh', ['date +%s.%N']));
  assert.ok(Math.abs(clock - before) < 60, `the clock is ${before - clock} seconds behind`);
  await g.close();
});

describe('launches that find nothing in the cache', real, () => {
  test(
    'build the appliance once, and keep one state, from which the others go on',
    launchTimeout,
    async (t) => {
      const where = place(t);
      const all = await Promise.all([launch(t, where), launch(t, where), launch(t, where)]);
      assert.deepEqual(all.map(({ booted }) => booted).sort(), [false, false, true]);
      assert.equal(statesIn(where).length, 1);
      const waits = all.flatMap(({ told }) => told.library.filter((line) => line.includes('another launch')));
      assert.ok(waits.some((line) => line.includes('builds the appliance')));
      assert.equal(waits.filter((line) => line.includes('boots the appliance')).length, 2);
      assert.deepEqual(
        all.flatMap(({ told }) => told.warnings),
        [],
      );
      for (const { g } of all) {
        assert.deepEqual(await g.listDevices(), ['/dev/sda']);
        await g.close();
      }
      await assertNothingLeft(where);
    },
  );
});
