/** A thread whose session has ended serves the next launch, which finds nothing of the session before it. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { GuestfsError } from '../../../src/base/index.js';
import { Guestfs } from '../../../src/guestfs/index.js';
import { scratchPath } from '../support.js';

/** Threads that are kept at most. */
const mostSpare = 4;

const linuxOnly = existsSync('/proc/self/task') ? {} : { skip: 'needs /proc to tell threads apart' };

const threads = (): Set<string> => new Set(readdirSync('/proc/self/task'));

/** Waits until no more than some threads are there: those that were ended may take a moment. */
async function threadsAtMost(most: number): Promise<number> {
  for (let tries = 0; tries < 200 && threads().size > most; tries++) await delay(10);
  return threads().size;
}

const openFiles = (): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith('/') && !target.startsWith('/dev/') ? [target] : [];
    } catch {
      return []; // the descriptor of this very listing
    }
  });

function unpacked(fixture: string): string {
  const path = scratchPath('image');
  writeFileSync(path, gunzipSync(readFileSync(`test/fixtures/${fixture}.img.gz`)));
  return path;
}

const images = {
  ext4: unpacked('scenarios/ext4'),
  damaged: unpacked('damaged/ext4'),
  dirty: unpacked('ext/dirty-journalled'),
  lvm: unpacked('lvm/one-a'),
};
/** Of the temporary files of all sessions. */
const directory = mkdtempSync(join(tmpdir(), 'guestfs-kept-'));
after(() => rmSync(directory, { recursive: true }));

interface Deed {
  readonly image?: string;
  readonly settings?: (g: Guestfs) => void;
  readonly work?: (g: Guestfs) => Promise<unknown>;
}

/** One session: launched, used, closed. */
async function session({ image = images.ext4, settings, work }: Deed = {}): Promise<void> {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.setTmpdir(directory);
  settings?.(g);
  g.addDrive(image, { readonly: true });
  await g.launch();
  await work?.(g);
}

/** What a session can show that another one may have changed: answers, errors, and what it is warned of. */
async function answers(): Promise<unknown> {
  const told: string[] = [];
  const attempt = async (work: () => Promise<unknown>): Promise<unknown> => {
    try {
      return await work();
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError)) throw thrown;
      return `${thrown.code} ${thrown.message}`;
    }
  };
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.setEventCallback(({ message }) => told.push(message), 'warning');
  g.addDrive(images.damaged, { readonly: true, format: 'raw' });
  g.addDrive(images.dirty, { readonly: true, format: 'raw' });
  g.addDrive(images.lvm, { readonly: true, format: 'raw' });
  await g.launch();
  const found = [
    await attempt(() => g.cat('/hello.txt')),
    await attempt(() => g.debug('mounts', [])),
    await attempt(() => g.getUmask()),
    await attempt(() => g.listFilesystems()),
    await attempt(() => g.lvs()),
    await attempt(() => g.blockdevGetro('/dev/sda')),
    await attempt(() => g.mountRo('/dev/sda', '/')),
    await attempt(() => g.find('/')),
    await attempt(() => g.umountAll()),
    await attempt(() => g.mountRo('/dev/sdb', '/')),
    await attempt(() => g.find('/')),
    await attempt(async () => (await g.readFile('/etc/passwd')).length),
  ];
  return [found, told];
}

const lastsLong = async (g: Guestfs): Promise<void> => {
  const giveUp = new AbortController();
  const running = g.debug('progress', ['60'], { signal: giveUp.signal });
  setTimeout(() => giveUp.abort(), 30);
  await assert.rejects(running, { code: 'ECANCELED' });
};

/** What a session does before the one that is to see nothing of it; each ends as it should. */
const deeds: Readonly<Record<string, () => Deed>> = {
  'has mounted, and looked at all': () => ({
    work: async (g) => {
      await g.mount('/dev/sda', '/');
      await g.find('/');
      await g.umask(0o077);
    },
  }),
  'was on the very disk that is damaged': () => ({
    image: images.damaged,
    work: async (g) => {
      await g.mountRo('/dev/sda', '/');
      await g.find('/').catch(() => {});
    },
  }),
  'has replayed a journal into an overlay': () => ({
    image: images.dirty,
    work: (g) => g.mount('/dev/sda', '/'),
  }),
  'had a small budget, and has used it up': () => ({
    settings: (g) => g.setBackendSetting('limit_entries', '20'),
    work: async (g) => {
      await g.mountRo('/dev/sda', '/');
      await assert.rejects(g.find('/'), { code: 'EDQUOT' });
    },
  }),
  'has given calls up': () => ({
    work: async (g) => {
      for (let count = 0; count < 3; count++) await lastsLong(g);
    },
  }),
  'is closed during a call': () => ({
    work: async (g) => {
      const running = assert.rejects(g.debug('progress', ['60']), GuestfsError);
      await delay(20);
      await g.close();
      await running;
    },
  }),
  'has written to a stream that failed': () => ({
    work: async (g) => {
      const sink = new WritableStream({
        write() {
          throw new Error('full');
        },
      });
      await assert.rejects(g.download('/dev/sda', sink));
    },
  }),
  'has decoded on several threads': () => ({
    image: 'samples/debian.qcow2',
    work: (g) => g.checksumDevice('md5', '/dev/sda'),
  }),
  'has taken volumes away': () => ({
    image: images.lvm,
    work: async (g) => {
      await g.vgActivateAll(false);
      await assert.rejects(g.lvmSetFilter(['/dev/sda']), { code: 'ENODEV' });
    },
  }),
  'has loaded the rest of the code': () => ({
    work: async (g) => {
      await g.inspectOs();
      await g.file('/dev/sda').catch(() => {});
    },
  }),
};

describe('a session on a thread that was kept', linuxOnly, () => {
  let expected: unknown;
  before(async () => {
    // The first of this process: its thread is new.
    expected = await answers();
  });

  for (const [what, deed] of Object.entries(deeds)) {
    test(`answers as on a new one, after one that ${what}`, async () => {
      await session(deed());
      const there = await threadsAtMost(threads().size);
      const ids = threads();
      assert.deepEqual(await answers(), expected);
      assert.ok(
        [...threads()].every((id) => ids.has(id)),
        `a thread was started beside ${there}`,
      );
      assert.deepEqual(readdirSync(directory), []);
    });
  }

  test('holds no file of the session before it', async () => {
    const files = openFiles().sort();
    await session({ work: (g) => g.mount('/dev/sda', '/') });
    await session({ image: images.dirty, work: (g) => g.mount('/dev/sda', '/') });
    assert.deepEqual(openFiles().sort(), files);
  });

  test('is not disturbed by the end, once more, of the handle that had the thread before', async () => {
    const first = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
    first.addDrive(images.ext4, { readonly: true });
    await first.launch();
    await first.shutdown();
    await using second = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
    second.addDrive(images.ext4, { readonly: true });
    await second.launch();
    await first.killSubprocess().catch(() => {});
    await first.close();
    await second.mountRo('/dev/sda', '/');
    assert.equal(await second.cat('/hello.txt'), 'hello, world\n');
  });
});

describe('a thread', linuxOnly, () => {
  const newThreads = (earlier: Set<string>): number => [...threads()].filter((id) => !earlier.has(id)).length;

  for (const [what, work] of Object.entries({
    'was killed': (g: Guestfs) => g.killSubprocess(),
    'has died': (g: Guestfs) => g.debug('exhaust', []).catch(() => {}),
    'has taken much memory': (g: Guestfs) => g.debug('exhaust', ['200']),
  })) {
    test(`that ${what} is not used again`, async () => {
      await session();
      const earlier = threads();
      await session({ work });
      await threadsAtMost(earlier.size - 1);
      const left = threads();
      await session();
      assert.equal(newThreads(left), 1);
    });
  }

  test('of a launch that failed is not used again', async () => {
    await session();
    const earlier = threads();
    await assert.rejects(session({ image: '/dev/null/nothing' }));
    await assert.rejects(session({ settings: (g) => g.addDrive(images.ext4, { format: 'qcow2' }) }));
    await threadsAtMost(earlier.size - 1);
    const left = threads();
    await session();
    assert.equal(newThreads(left), 1);
  });

  test(`is kept once its session has ended, but no more than ${mostSpare} are`, async () => {
    const busy = threads().size;
    const handles = await Promise.all(
      Array.from({ length: mostSpare + 3 }, async () => {
        const g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
        g.addDrive(images.ext4, { readonly: true });
        await g.launch();
        return g;
      }),
    );
    await Promise.all(handles.map((g) => g.close()));
    const kept = (await threadsAtMost(busy - 1 + mostSpare)) - (busy - 1);
    assert.equal(kept, mostSpare);
  });
});
