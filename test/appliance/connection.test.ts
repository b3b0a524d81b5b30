/**
 * Calls without files against a fake daemon: what they give, how they fail, and what a daemon that goes wrong does to
 * them.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { daemon1_48 } from '../../src/appliance/wire/compat.js';
import type { ConnectionOptions } from '../../src/appliance/wire/connection.js';
import { GuestfsError } from '../../src/base/index.js';
import { type FakeDaemon, framed, launchFlag, nobody, type Pair, pair, text, words } from './fake-daemon.js';

const call = ({ connection }: Pair, name: string, ...args: unknown[]) =>
  connection.call(name, args, {}, nobody);

test('a request has the header of guestfsd, and serials count from where libguestfs begins', async (t) => {
  const p = await pair(t);
  for (const serial of [0x00123400, 0x00123401]) {
    const answer = call(p, 'is_file', '/etc/passwd');
    const request = await p.daemon.requestOf('is_file');
    assert.deepEqual(
      { ...request, args: '' },
      {
        program: 0x2000f5f5,
        version: 4,
        proc: 37,
        direction: 0,
        serial,
        hint: 0n,
        mask: 0n,
        status: 0,
        args: '',
        values: ['/etc/passwd'],
        options: {},
      },
    );
    await p.daemon.give(request, 'is_file', true);
    assert.equal(await answer, true);
  }
});

test('optional arguments that are given have their bits', async (t) => {
  const p = await pair(t);
  const answer = p.connection.call('mkfs', ['ext4', '/dev/sda1'], { inode: 256, label: 'root' }, nobody);
  const request = await p.daemon.requestOf('mkfs');
  assert.equal(request.mask, 0b10100n);
  assert.deepEqual(request.options, { inode: 256, label: 'root' });
  await p.daemon.ok(request);
  assert.equal(await answer, undefined);
});

for (const bytewise of [false, true])
  test(`results have the shapes of the tables${bytewise ? ', byte by byte' : ''}`, async (t) => {
    const p = await pair(t, { bytewise });
    const results = {
      utsname: { utsSysname: 'Linux', utsRelease: '6.1', utsVersion: '#1', utsMachine: 'x86_64' },
      list_filesystems: new Map([
        ['/dev/sda1', 'ext4'],
        ['__proto__', 'x'],
      ]),
      list_devices: ['/dev/sda', '/dev/sd\udcff'],
      part_list: [{ partNum: 1, partStart: 65536, partEnd: 2 ** 40, partSize: 2 ** 40 - 65535 }],
      pread: Buffer.from([0, 255, 10]),
      filesize: 2 ** 53 - 1,
      umask: 0o22,
    };
    const args = { part_list: ['/dev/sda'], pread: ['/f', 3, 0], filesize: ['/f'], umask: [0o22] } as Record<
      string,
      unknown[]
    >;
    for (const [name, value] of Object.entries(results)) {
      const answer = call(p, name, ...(args[name] ?? []));
      await p.daemon.give(await p.daemon.requestOf(name), name, value);
      assert.deepEqual(await answer, value, name);
    }
  });

test('a number beyond 2^53 is ERANGE, and the connection goes on', async (t) => {
  const p = await pair(t);
  const answer = call(p, 'filesize', '/f');
  await p.daemon.ok(await p.daemon.request(), words(0x00200000, 0));
  await assert.rejects(answer, {
    code: 'ERANGE',
    message: '9007199254740992 is beyond 2^53, where numbers are exact',
  });
  const next = call(p, 'ping_daemon');
  await p.daemon.ok(await p.daemon.request());
  await next;
  assert.deepEqual(p.broken, []);
});

test("the daemon's errors have their code and its words, and no action: that is the handle's to say", async (t) => {
  const p = await pair(t);
  const said = async (errnoName: string, message: string): Promise<unknown> => {
    const answer = call(p, 'mount', '/dev/sda9', '/').then(
      () => assert.fail(),
      (thrown) => thrown,
    );
    await p.daemon.fail(await p.daemon.request(), errnoName, message);
    return await answer;
  };
  const error = await said('ENOENT', '/dev/sda9: No such file or directory\n');
  assert.ok(error instanceof GuestfsError);
  assert.equal(error.code, 'ENOENT');
  assert.equal(error.errno, 2);
  assert.equal(error.action, undefined);
  assert.equal(error.message, '/dev/sda9: No such file or directory');
  assert.equal(((await said('', 'mount exited')) as GuestfsError).code, 'EIO');
  assert.equal(((await said('EWHATEVER', 'x')) as GuestfsError).code, 'EINVAL');
  assert.equal(((await said('EDEADLOCK', 'x')) as GuestfsError).code, 'EDEADLK');
});

test('an error as long as they may be is given whole, and a longer one is none of the protocol', async (t) => {
  const p = await pair(t);
  const longest = 'é'.repeat(32768);
  const answer = call(p, 'mount', 'a', 'b');
  await p.daemon.fail(await p.daemon.request(), 'E'.repeat(32), longest);
  await assert.rejects(answer, { code: 'EINVAL', message: `${longest}` });
  const next = call(p, 'mount', 'a', 'b');
  await p.daemon.fail(await p.daemon.request(), 'EIO', `${longest}x`);
  await assert.rejects(next, { code: 'EIO', message: /65537 bytes where 65536 are the most/ });
  assert.equal(p.broken.length, 1);
});

test('arguments that make too long a message are refused before anything is sent', async (t) => {
  const p = await pair(t);
  const room = 4 * 1024 * 1024 - 40 - 12;
  const fits = call(p, 'internal_write', '/a', Buffer.alloc(room));
  const request = await p.daemon.request();
  assert.equal(request.args.length, 4 * 1024 * 1024 - 40);
  await p.daemon.ok(request);
  await fits;
  await assert.rejects(call(p, 'internal_write', '/a', Buffer.alloc(room + 1)), {
    code: 'EMSGSIZE',
    message: 'the arguments make a message of 4194308 bytes, and 4194304 are the most',
  });
  const next = call(p, 'ping_daemon');
  await p.daemon.ok(await p.daemon.requestOf('ping_daemon'));
  await next;
});

test('progress is told while the call runs, and of no other call', async (t) => {
  const p = await pair(t);
  const answer = call(p, 'zero_device', '/dev/sda');
  const request = await p.daemon.request();
  await p.daemon.progress(request, 1, 10);
  await p.daemon.progress(request, 5, 10, request.serial - 1);
  await p.daemon.progress(request, 10, 10);
  await p.daemon.ok(request);
  await answer;
  assert.deepEqual(p.progress, [
    [1, 10],
    [10, 10],
  ]);
});

test('a cancelled call rejects at once, and the next waits until the daemon is done', async (t) => {
  const p = await pair(t);
  const first = call(p, 'zero_device', '/dev/sda');
  const request = await p.daemon.request();
  p.connection.cancel();
  await assert.rejects(first, { code: 'ECANCELED' });
  const second = call(p, 'ping_daemon');
  let idle = false;
  void p.connection.idle().then(() => {
    idle = true;
  });
  await p.daemon.progress(request, 1, 2);
  await turn();
  assert.equal(p.daemon.unread, 0);
  assert.equal(idle, false);
  await p.daemon.ok(request);
  await p.daemon.ok(await p.daemon.requestOf('ping_daemon'));
  await second;
  await p.connection.idle();
  assert.deepEqual(p.progress, []);
});

test('a signal cancels, before the call, while it waits, and while it runs', async (t) => {
  const p = await pair(t);
  const control = { ...nobody, signal: AbortSignal.abort() };
  await assert.rejects(p.connection.call('ping_daemon', [], {}, control), { code: 'ECANCELED' });
  const running = new AbortController();
  const waiting = new AbortController();
  const first = p.connection.call('zero_device', ['/dev/sda'], {}, { ...nobody, signal: running.signal });
  const second = p.connection.call('ping_daemon', [], {}, { ...nobody, signal: waiting.signal });
  const request = await p.daemon.request();
  waiting.abort();
  await assert.rejects(second, { code: 'ECANCELED' });
  running.abort();
  await assert.rejects(first, { code: 'ECANCELED' });
  const third = call(p, 'umount_all');
  await p.daemon.ok(request);
  await p.daemon.ok(await p.daemon.requestOf('umount_all'));
  await third;
});

test('what the library does itself is no procedure', async (t) => {
  const p = await pair(t);
  await assert.rejects(call(p, 'add_drive', '/x'), { code: 'ENOTSUP' });
  await assert.rejects(call(p, 'constructor'), { code: 'ENOTSUP' });
});

test('a daemon known to be old is not asked for what it lacks', async (t) => {
  const p = await pair(t, { daemon: daemon1_48 });
  await assert.rejects(call(p, 'xfs_info2', '/'), {
    code: 'ENOTSUP',
    message: 'the installed daemon lacks this action (libguestfs 1.48)',
  });
  await assert.rejects(p.connection.call('e2fsck', ['/dev/sda'], { forceno: true }, nobody), {
    code: 'ENOTSUP',
    message: 'the installed daemon lacks the option forceno of this action (libguestfs 1.48)',
  });
  const answer = p.connection.call('e2fsck', ['/dev/sda'], { correct: true }, nobody);
  const request = await p.daemon.request();
  assert.equal(request.mask, 1n);
  assert.deepEqual(request.args, Buffer.concat([text('/dev/sda'), words(1, 0)]));
  await p.daemon.ok(request);
  await answer;
});

test('a daemon that says what it lacks is ENOTSUP as well', async (t) => {
  const p = await pair(t);
  const answer = call(p, 'xfs_info2', '/');
  const unknown =
    'dispatch_incoming_message: unknown procedure number 522, set LIBGUESTFS_PATH to point to the matching libguestfs appliance directory';
  await p.daemon.fail(await p.daemon.request(), '', unknown);
  await assert.rejects(answer, {
    code: 'ENOTSUP',
    message: /^the installed daemon lacks this action/,
  });
  const option = p.connection.call('e2fsck', ['/dev/sda'], { forceno: true }, nobody);
  await p.daemon.fail(
    await p.daemon.request(),
    '',
    'unknown option in optional arguments bitmask (this can happen if a program is newer)',
  );
  await assert.rejects(option, { code: 'ENOTSUP', message: /^the installed daemon lacks an option/ });
});

for (const last of [510, 511, 517, 521, 522])
  test(`the daemon's last procedure is found out: ${last}`, async (t) => {
    const p = await pair(t);
    const identified = p.connection.identify();
    let done = false;
    identified.finally(() => {
      done = true;
    });
    let asked = 0;
    while (!done) {
      const request = await Promise.race([p.daemon.request(), identified]);
      if (!('proc' in request)) break;
      asked++;
      assert.equal(request.args.length, 0);
      const message =
        request.proc > last
          ? `dispatch_incoming_message: unknown procedure number ${request.proc}, set LIBGUESTFS_PATH`
          : 'daemon failed to decode procedure arguments';
      await p.daemon.fail(request, '', message);
    }
    assert.equal((await identified).lastProcedure, last);
    assert.equal(p.connection.daemon.lastProcedure, last);
    assert.ok(asked <= 5, `${asked} calls`);
  });

/** A running call, a daemon that goes wrong, and what must come of it. */
async function goesWrong(
  t: TestContext,
  message: RegExp,
  wrong: (daemon: FakeDaemon, request: Awaited<ReturnType<FakeDaemon['request']>>) => unknown,
  options: ConnectionOptions & { bytewise?: boolean } = {},
): Promise<void> {
  const p = await pair(t, options);
  const answer = call(p, 'is_file', '/x');
  const waiting = call(p, 'umount_all');
  const request = await p.daemon.request();
  void wrong(p.daemon, request);
  await assert.rejects(answer, (error: GuestfsError) => {
    assert.ok(error instanceof GuestfsError);
    assert.equal(error.code, 'EIO');
    assert.match(error.message, message);
    return true;
  });
  await assert.rejects(waiting, { code: 'EIO', message });
  await assert.rejects(call(p, 'ping_daemon'), { code: 'EIO', message });
  await p.connection.idle();
  await turn();
  assert.equal(p.broken.length, 1);
  assert.match(p.broken[0]?.message ?? '', message);
  p.connection.close();
  assert.equal(p.broken.length, 1);
}

const replyOf = (request: { proc: number; serial: number }, change: Record<number, number>): Buffer => {
  const values = [0x2000f5f5, 4, request.proc, 1, request.serial, 0, 0, 0, 0, 0, 1];
  for (const [index, value] of Object.entries(change)) values[Number(index)] = value;
  return framed(words(...values));
};

test('the same reply unchanged is good', async (t) => {
  const p = await pair(t);
  const answer = call(p, 'is_file', '/x');
  await p.daemon.write(replyOf(await p.daemon.request(), {}));
  assert.equal(await answer, true);
});

const wrongs: [string, RegExp, (daemon: FakeDaemon, request: { proc: number; serial: number }) => unknown][] =
  [
    [
      'another program',
      /a message of the program 0x2000f5f6/,
      (d, r) => d.write(replyOf(r, { 0: 0x2000f5f6 })),
    ],
    ['another version', /protocol's version 5/, (d, r) => d.write(replyOf(r, { 1: 5 }))],
    ['another procedure', /procedure 38 where 37/, (d, r) => d.write(replyOf(r, { 2: 38 }))],
    ['a request', /a request of its own/, (d, r) => d.write(replyOf(r, { 3: 0 }))],
    ['a direction that is none', /the direction 2/, (d, r) => d.write(replyOf(r, { 3: 2 }))],
    ['another serial', /a reply to call 5 where/, (d, r) => d.write(replyOf(r, { 4: 5 }))],
    ['a status that is none', /the status 2/, (d, r) => d.write(replyOf(r, { 9: 2 }))],
    ['a boolean that is none', /7 as a boolean/, (d, r) => d.write(replyOf(r, { 10: 7 }))],
    ['a result that is too long', /4 bytes too many/, (d, r) => d.write(replyOf(r, { 10: 1, 11: 1 }))],
    ['a result that is too short', /0 bytes where 4 belong/, (d, r) => d.write(framed(d.header(r)))],
    ['garbage', /where the length of a message belongs/, (d) => d.write(Buffer.alloc(8192, 0xa5))],
    ['a length beyond the bound', /0x00400001 where the length/, (d) => d.write(words(0x400001))],
    ['a length of nothing', /0x00000000 where the length/, (d) => d.write(words(0))],
    ['a second launch', /the appliance has rebooted/, (d) => d.write(launchFlag)],
    ['its end', /the appliance ended, or closed the connection$/, (d) => d.die()],
    [
      'its end in mid-reply',
      /closed the connection, in the middle of a message/,
      (d, r) => d.write(replyOf(r, {}).subarray(0, 30)).then(() => d.die()),
    ],
    [
      'its end in mid-length',
      /in the middle of a message/,
      (d, r) => d.write(replyOf(r, {}).subarray(0, 2)).then(() => d.socket.end()),
    ],
  ];
for (const [name, message, wrong] of wrongs) {
  test(`one clear error for what the daemon must not do: ${name}`, (t) => goesWrong(t, message, wrong));
  test(`and byte by byte: ${name}`, (t) => goesWrong(t, message, wrong, { bytewise: true }));
}

test('a message that nobody asked for is the end of the connection', async (t) => {
  const p = await pair(t);
  await p.daemon.write(framed(p.daemon.header({ proc: 1, serial: 1 })));
  while (p.broken.length === 0) await turn();
  assert.match(p.broken[0]?.message ?? '', /a message that nobody waits for/);
});

test('a cancel flag that comes late is nothing', async (t) => {
  const p = await pair(t);
  await p.daemon.write(words(0xffffeeee));
  const answer = call(p, 'ping_daemon');
  const request = await p.daemon.request();
  await p.daemon.write(words(0xffffeeee));
  await p.daemon.ok(request);
  await answer;
});

test('what ends before it was launched says so', async (t) => {
  const p = await pair(t, { launched: false });
  p.daemon.die();
  await assert.rejects(p.connection.launched, { code: 'EIO', message: /the appliance ended/ });
  const q = await pair(t, { launched: false });
  void q.daemon.write(Buffer.from('QEMU 7.2\n'));
  await assert.rejects(q.connection.launched, { code: 'EIO', message: /0x51454d55 where the length/ });
  assert.equal(q.broken.length, 1);
});

test('a guest that goes on from a kept state says no second time that it is up', async (t) => {
  const p = await pair(t, { launched: false, alreadyLaunched: true });
  await p.connection.launched;
  const answer = call(p, 'ping_daemon');
  await p.daemon.ok(await p.daemon.request());
  await answer;
});

test('closing rejects the running call and tells nobody else', async (t) => {
  const p = await pair(t);
  const answer = call(p, 'is_file', '/x');
  await p.daemon.request();
  p.connection.close();
  await assert.rejects(answer, {
    code: 'EIO',
    message: 'the connection to the appliance was closed',
  });
  await turn();
  assert.deepEqual(p.broken, []);
});
