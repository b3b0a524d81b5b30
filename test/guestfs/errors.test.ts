/** What a program learns from a failed call: where, about what, and why; the same on both backends. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  AbortError,
  type BackendName,
  CorruptError,
  Guestfs,
  GuestfsError,
  HostError,
  PartialError,
} from '../../src/guestfs/index.js';
import { real } from '../appliance/support.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { scratchDirectory } from '../support/scratch.js';

const scratch = scratchDirectory();
const damaged = join(scratch, 'damaged.img');
writeFileSync(damaged, readFixtureBuffer('damaged/ext4.img.gz'));

async function failure(call: Promise<unknown>): Promise<GuestfsError> {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof GuestfsError, `it did not reject with a GuestfsError but with ${thrown}`);
  return thrown;
}

/** The functions of this file in the order in which a stack has them, the innermost first. */
const ownFrames = (stack: string): string[] =>
  [...stack.matchAll(/at (?:async )?(?:Object\.)?(\w+) \(.*errors\.test\.js/g)].map(([, name = '']) => name);

function onBackend(backend: BackendName): void {
  let g: Guestfs;
  before(async () => {
    g = new Guestfs({ environment: false, stderr: null, backend });
    g.addDrive('samples/debian.qcow2', { readonly: true });
    await g.launch();
    await g.mountRo('/dev/sda2', '/');
  });
  after(() => g.close());

  test('an error names the path or the device that it is about', async () => {
    const paths = async (...calls: Promise<unknown>[]) =>
      (await Promise.all(calls.map(failure))).map(({ code, path }) => [code, path]);
    assert.deepEqual(
      await paths(
        g.cat('/etc/nothing'),
        g.lstat('/no/where'),
        g.ls('/etc/hostname'),
        g.readlink('/etc/hostname'),
        g.mountRo('/dev/sdz', '/'),
        g.download('/etc/nothing', join(scratch, 'nothing')),
      ),
      [
        ['ENOENT', '/etc/nothing'],
        ['ENOENT', '/no/where'],
        ['ENOTDIR', '/etc/hostname'],
        ['EINVAL', '/etc/hostname'],
        ['ENOENT', '/dev/sdz'],
        ['ENOENT', '/etc/nothing'],
      ],
    );
    assert.equal((await failure(g.available(['nonsense']))).path, undefined);
  });

  test("an error of a file of the host names that file, and the system's own error is its cause", async () => {
    const target = join(scratch, 'no', 'such', 'folder');
    const error = await failure(g.download('/etc/hostname', target));
    assert.ok(error instanceof HostError);
    assert.deepEqual([error.code, error.path], ['ENOENT', target]);
    const cause = error.cause as NodeJS.ErrnoException;
    assert.ok(cause instanceof Error);
    assert.deepEqual([cause.code, cause.syscall, cause.path], ['ENOENT', 'open', target]);
    assert.match(cause.stack ?? '', /^Error: ENOENT: .*\n {4}at /);
  });

  test('the error of a stream that is written to is the cause', async () => {
    const full = new TypeError('nothing more fits');
    const sink = new WritableStream({ write: () => Promise.reject(full) });
    const { cause, message } = await failure(g.download('/etc/hostname', sink));
    assert.equal(cause, full);
    assert.equal(message, 'download: nothing more fits');
  });

  test('the stack of a rejected call has the frames of those who wait for it', async () => {
    const awaiting = async () => await g.cat('/etc/nothing');
    const catching = async () => await g.cat('/etc/nothing').finally(() => {});
    const walking = async () => await g.walk('/etc/nothing');
    const gathering = async () => await Promise.all([g.listDevices(), g.cat('/etc/nothing')]);
    for (const wait of [awaiting, catching, walking, gathering]) {
      const outer = async () => await wait();
      const { stack = '' } = await failure(outer());
      assert.deepEqual(ownFrames(stack).slice(0, 2), [wait.name, 'outer'], stack);
      assert.match(
        stack,
        /^GuestfsError: (?:cat|walk): \/etc\/nothing\/?: no such file or directory\n {4}at (?:#callAsync|Handle\.methodCall) /i,
      );
    }
  });

  test('an aborted call rejects with an AbortError that has the reason, running or waiting', async () => {
    const stop = new AbortController();
    const calls = [
      g.debug(backend === 'direct' ? 'sh' : 'progress', backend === 'direct' ? ['sleep', '30'] : ['30'], {
        signal: stop.signal,
      }),
      g.listDevices({ signal: stop.signal }),
    ].map(failure);
    const reason = new Error('the user left');
    setTimeout(() => stop.abort(reason), 50);
    for (const error of await Promise.all(calls)) {
      assert.ok(error instanceof AbortError);
      assert.deepEqual([error.name, error.code, error.cause], ['AbortError', 'ECANCELED', reason]);
      assert.match(error.stack ?? '', /^AbortError: /);
    }
    const late = await failure(g.listDevices({ signal: AbortSignal.abort() }));
    assert.equal(late.name, 'AbortError');
    assert.equal((late.cause as Error).name, 'AbortError');
  });
}

describe('errors of the embedded engine', () => onBackend('embedded'));
describe('errors of the appliance', real, () => onBackend('direct'));

describe('errors of the embedded engine about damage', () => {
  let g: Guestfs;
  before(async () => {
    g = new Guestfs({ environment: false, stderr: null, backend: 'embedded' });
    g.addDrive(damaged, { readonly: true, format: 'raw' });
    await g.launch();
    await g.mountRo('/dev/sda', '/');
  });
  after(() => g.close());

  test('name the file whose bytes are wrong', async () => {
    const errors: GuestfsError[] = [];
    for (const name of await g.find('/')) {
      const path = `/${name}`;
      if (!(await g.isFile(path))) continue;
      await g.readFile(path).catch((error: GuestfsError) => {
        assert.ok(error instanceof CorruptError, String(error));
        assert.equal(error.path, path);
        errors.push(error);
      });
    }
    assert.ok(errors.length > 0);
  });

  test('keep what was found damaged first as the cause, past the thread', async () => {
    const error = await failure(g.tarOut('/', join(scratch, 'all.tar')));
    assert.ok(error instanceof PartialError);
    assert.ok(error.leftOut > 1);
    assert.equal(error.path, undefined);
    const { cause } = error;
    assert.ok(cause instanceof CorruptError);
    assert.ok(error.message.includes(cause.message));
    assert.equal(cause.stack, `CorruptError: ${cause.message}`);
  });
});
