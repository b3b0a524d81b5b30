/** The progress of archives that the daemon makes: GNU tar and cpio say how long they really are. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { before, describe, test } from 'node:test';
import type { LibraryControl } from '../../../src/appliance/library/daemon.js';
import type { ProcedureControl } from '../../../src/appliance/wire/connection.js';
import { GuestfsError } from '../../../src/base/index.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { FakeDaemon, run, writes } from './fake-daemon.js';

const drain = (): PassThrough => new PassThrough({ highWaterMark: 2 ** 24 }).resume();

type Followed = readonly (readonly [position: number, total: number])[];

describe('an archive', needs('tar', 'cpio', 'find'), () => {
  const scratch = scratchDirectory();
  const top = join(scratch, 'tree');
  before(() => {
    mkdirSync(join(top, 'sub', 'd'.repeat(120)), { recursive: true });
    mkdirSync(join(top, 'c'.repeat(97))); // with the slash, a hundred and one bytes of a name
    writeFileSync(join(top, 'empty'), '');
    writeFileSync(join(top, 'block'), Buffer.alloc(512, 7));
    writeFileSync(join(top, 'sub', 'big'), Buffer.alloc(700_001, 'x'));
    writeFileSync(join(top, 'sub', 'd'.repeat(120), 'f'.repeat(200)), 'long');
    writeFileSync(join(top, 'sub', 'grün'), 'ü');
    linkSync(join(top, 'sub', 'big'), join(top, 'zweiter Name'));
    symlinkSync('x'.repeat(300), join(top, 'far'));
    symlinkSync('../nowhere', join(top, 'near'));
    writeFileSync(join(top, 'sparse'), '');
    truncateSync(join(top, 'sparse'), 100_000);
  });

  const shell = (command: string): Buffer =>
    execFileSync('sh', ['-c', command], { cwd: top, env: { ...toolEnvironment, LC_ALL: 'C' } });

  /** A daemon on the tree, whose `action` writes an archive that a foreign tool has made. */
  const daemonWith = (action: string, archive: Buffer, more: Record<string, unknown> = {}): FakeDaemon =>
    new FakeDaemon({
      find0: writes(shell(String.raw`find . -mindepth 1 -printf '%P\0'`)),
      internal_lstatnslist: (directory: string, names: readonly string[]) =>
        names.map((name) => {
          const stats = lstatSync(join(top, directory.replace(/^\/top/, ''), name));
          return {
            stDev: stats.dev,
            stIno: stats.ino,
            stMode: stats.mode,
            stNlink: stats.nlink,
            stSize: stats.size,
          };
        }),
      [action]: async (...args: readonly unknown[]) => {
        const { received } = args.at(-1) as ProcedureControl;
        for (let at = 0; at < archive.length; at += 8192) received?.(Math.min(8192, archive.length - at));
        await writes(archive)(...args);
      },
      ...more,
    });

  /** What is told of the progress while an action is done. */
  async function follow(
    daemon: FakeDaemon,
    action: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>> = {},
  ): Promise<Followed> {
    const told: [number, number][] = [];
    const control: LibraryControl = { progress: (position, total) => told.push([position, total]) };
    await run(daemon, action, args, options, control);
    return told;
  }

  /** From nothing to all of a total, which is known from the start. */
  function assertWhole(told: Followed, total: number): void {
    assert.deepEqual(told[0], [0, total]);
    assert.deepEqual(told.at(-1), [total, total]);
    assert.ok(told.length > 10);
  }

  test('of tar is as long as its progress says in advance', async () => {
    for (const excludes of [undefined, ['big'], ['d*', './near'], ['sub']]) {
      const left = (excludes ?? []).map((pattern) => `--exclude '${pattern}'`).join(' ');
      const archive = shell(`tar --format=gnu --numeric-owner ${left} -cf - .`);
      const daemon = daemonWith('tar_out', archive);
      const options = excludes === undefined ? {} : { excludes };
      assertWhole(await follow(daemon, 'tar_out', ['/top', drain()], options), archive.length);
      assert.deepEqual(daemon.calls.at(-1)?.options, options);
    }
  });

  test('of cpio is as long as its progress says in advance', async () => {
    const archive = shell('find . | cpio --quiet -o -H newc');
    const daemon = daemonWith('cpio_out', archive);
    const told = await follow(daemon, 'cpio_out', ['/top', drain()]);
    assert.ok(
      Math.abs((told[0]?.[1] ?? 0) - archive.length) <= 512 + 700_001,
      `${told[0]} of ${archive.length}`,
    );
  });

  test('is followed where a copy or a zip file is made of it', async () => {
    const archive = shell('tar --format=gnu --numeric-owner -cf - .');
    const lstatns = { stMode: 0o40755, stUid: 0, stGid: 0, stMtimeSec: 0, stAtimeSec: 0, stSize: 0 };
    const copy = daemonWith('tar_out', archive, { lstatns });
    mkdirSync(join(scratch, 'copy'));
    assertWhole(await follow(copy, 'copy_out', ['/top', join(scratch, 'copy')]), archive.length);
    assert.equal(readFileSync(join(scratch, 'copy', 'top', 'sub', 'grün'), 'utf8'), 'ü');
    const zip = daemonWith('tar_out', archive, {
      lstatns: { ...lstatns, stMode: 0o100644, stSize: 700_001 },
      download: async (...args: readonly unknown[]) => {
        (args.at(-1) as ProcedureControl).received?.(700_001);
        await writes(Buffer.alloc(700_001, 'x'))(...args);
      },
    });
    const told = await follow(zip, 'internal_zip_out', ['/top', drain(), [], 1]);
    assertWhole(told, archive.length + 700_001);
  });

  test('that nobody follows, or that is compressed, costs no walk', async () => {
    const daemon = daemonWith('tar_out', Buffer.alloc(10_240));
    await run(daemon, 'tar_out', ['/top', drain()]);
    await follow(daemon, 'tar_out', ['/top', drain()], { compress: 'gzip' });
    assert.deepEqual(daemon.procedures, ['tar_out', 'tar_out']);
  });

  test('of a directory that cannot be walked has the error of its own procedure', async () => {
    const daemon = daemonWith('tar_out', Buffer.alloc(0), {
      find0: () => {
        throw new GuestfsError('ENOENT', 'not this one');
      },
      tar_out: () => {
        throw new GuestfsError('ENOTDIR', 'the procedure fails');
      },
    });
    await assert.rejects(follow(daemon, 'tar_out', ['/top', 'x']), { code: 'ENOTDIR' });
  });
});
