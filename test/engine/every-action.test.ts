/**
 * Every action of the embedded engine that leaves disks as they are, with a signal: aborted before the call, at its
 * start, a little later, and after it. Each call ends soon, with ECANCELED or as it does without a signal, and the
 * handle answers the next one. Arguments come from the table of the API, so that an action that is added is tried as
 * well.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type ActionName, type Argument, actions, camelCase, changesDisks } from '../../src/api/index.js';
import { GuestfsError } from '../../src/base/index.js';
import { handledActions } from '../../src/engine/thread/dispatch.js';
import { writingHandlers } from '../../src/engine/thread/writing-handlers.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { cost, scratchPath } from './support.js';

/** What a call may cost that was told to end, in the best of some tries. */
const promptInMs = 100;
const mostTries = 4;

const drives = ['ext4.img', 'gpt.img', 'disc.iso', 'lvm1.img', 'lvm2.img'];

/** Texts that mean something, by the name of their argument. */
const texts: Readonly<Record<string, readonly string[]>> = {
  csumtype: ['sha256'],
  regex: ['hel*o'],
  pattern: ['hello', '/h*'],
  ctype: ['gzip'],
  encoding: ['s'],
  options: ['ro'],
  vfstype: ['ext4'],
  mountpoint: ['/mnt'],
  exemptpath: ['/a'],
  directory: ['/dir'],
  filesystem: ['ext4'],
  acltype: ['access'],
  subcmd: ['help'],
};

const numbers: Readonly<Record<string, number>> = { secs: 1, mask: 0o22, inode: 12, offset: 0, start: 0 };

/** Values to try one after the other, until the action does something. */
function candidates({ name, type }: Argument): readonly unknown[] {
  switch (type) {
    case 'pathname':
    case 'devOrPathname':
      return texts[name] ?? ['/hello.txt', '/', '/dev/sda'];
    case 'device':
      return ['/dev/sda', '/dev/sdb', '/dev/sdb1', '/dev/sdc', '/dev/sdd'];
    case 'mountable':
    case 'mountableOrPathname':
      return ['/dev/sda', '/dev/sdb1'];
    case 'hostPath': {
      const directory = scratchPath('directory');
      mkdirSync(directory);
      return [directory];
    }
    case 'string':
      return texts[name] ?? ['x'];
    case 'stringList':
    case 'filenameList':
      return [['hello.txt']];
    case 'deviceList':
      return [['/dev/sdd']];
    case 'int':
    case 'int64':
      return [numbers[name] ?? 1];
    case 'bool':
      return [true];
    case 'fileOut':
      return [scratchPath('out')];
    case 'bufferIn':
      return [Buffer.from('x')];
    case 'fileIn': {
      const path = scratchPath('in');
      writeFileSync(path, 'x');
      return [path];
    }
    default:
      throw new Error(`no value for an argument of type ${type}`);
  }
}

type Outcome = string;
type Method = (...given: unknown[]) => Promise<unknown>;

async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    await call;
    return 'done';
  } catch (thrown) {
    assert.ok(thrown instanceof GuestfsError, String((thrown as Error).stack));
    return thrown.code;
  }
}

describe('a signal, with', async () => {
  let g: Guestfs;

  const files = drives.map((drive) => {
    const path = scratchPath(drive);
    writeFileSync(path, readFixtureBuffer(`scenarios/${drive}.gz`));
    return path;
  });
  const launch = async (): Promise<void> => {
    g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
    for (const path of files) g.addDrive(path, { readonly: true, format: 'raw' });
    await g.launch();
  };
  before(launch);
  after(() => g.close());

  /** As the handle was at first: some actions mount, unmount or hide. */
  async function reset(): Promise<void> {
    await g.lvmClearFilter();
    await g.umountAll();
    await g.vgActivateAll(true);
    await g.mountRo('/dev/sda', '/');
    fresh ||= await stateOf();
  }

  const stateOf = async (): Promise<string> =>
    JSON.stringify(
      [await g.mounts(), await g.mountpoints(), await g.pvs(), await g.listFilesystems()].map((each) => [
        ...each,
      ]),
    );
  let fresh = '';

  for (const name of (await handledActions()).filter((each) => !changesDisks(each))) {
    test(name, async () => {
      const method = (...given: unknown[]): Promise<unknown> =>
        (g as unknown as Record<string, Method>)[camelCase<ActionName>(name)]?.(...given) ??
        assert.fail(name);
      // What the layers of the drives hold afterwards is nothing that the next one could begin with.
      const writes = name in writingHandlers;
      const tries = actions[name].args.map(candidates);
      const most = Math.max(1, ...tries.map(({ length }) => length));
      let args: unknown[] = [];
      let expected: Outcome = '';
      for (let round = 0; round < most && expected !== 'done'; round++) {
        args = tries.map((values) => values[Math.min(round, values.length - 1)]);
        if (fresh === '' || (await stateOf()) !== fresh) await reset();
        expected = await outcomeOf(method(...args));
      }
      // Most actions change nothing, and need not be begun anew.
      const changes = (await stateOf()) !== fresh;
      const again = async (): Promise<void> => {
        if (writes) {
          await g.close();
          await launch();
        }
        if (changes || writes) await reset();
        if (name === 'journal_close') await g.journalOpen('/');
        if (name === 'inotify_close') await g.inotifyInit(0);
      };
      await again();
      const run = async (signal: AbortSignal): Promise<Outcome> =>
        await outcomeOf(method(...args, { signal }));

      assert.equal(await run(AbortSignal.abort()), 'ECANCELED', 'aborted before');

      for (const delayInMs of [0, 1]) {
        let best = Number.POSITIVE_INFINITY;
        for (let round = 0; round < mostTries && best >= promptInMs; round++) {
          await again();
          const stop = new AbortController();
          const running = run(stop.signal);
          if (delayInMs > 0) await new Promise((resolve) => setTimeout(resolve, delayInMs));
          let outcome: Outcome = '';
          const took = await cost(async () => {
            stop.abort();
            outcome = await running;
          });
          best = Math.min(best, took);
          assert.ok(
            ['ECANCELED', expected].includes(outcome),
            `aborted after ${delayInMs} ms: ${outcome}, else ${expected}`,
          );
          if (name === 'sleep') assert.equal(outcome, 'ECANCELED');
        }
        assert.ok(best < promptInMs, `aborted after ${delayInMs} ms: it took ${best} ms`);
      }

      await again();
      const late = new AbortController();
      assert.equal(await run(late.signal), expected, 'not aborted');
      late.abort();
      await again();
      assert.equal(await g.cat('/hello.txt'), 'hello, world\n');
    });
  }
});
