/** The client of qemu's monitor over a stream of the test's own: in one chunk and byte by byte. */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import { Qmp, QmpError, type QmpEvent } from '../../src/appliance/machine/qmp.js';
import { GuestfsError } from '../../src/base/index.js';

const greeting = {
  QMP: { version: { qemu: { major: 7, minor: 2, micro: 22 }, package: '' }, capabilities: [] },
};

/** The end that qemu has. */
class FakeQemu {
  readonly stream: Duplex;
  readonly qmp: Qmp;
  readonly heard: { execute: string; id: number; arguments?: unknown }[] = [];
  readonly #bytewise: boolean;
  answers: (command: { execute: string; id: number; arguments?: unknown }) => object | undefined = ({
    id,
  }) => ({
    return: {},
    id,
  });

  constructor(bytewise: boolean) {
    this.#bytewise = bytewise;
    this.stream = new Duplex({
      read() {},
      write: (bytes: Buffer, _encoding, done) => {
        for (const line of bytes.toString().split('\n').filter(Boolean)) {
          const command = JSON.parse(line);
          this.heard.push(command);
          const answer = this.answers(command);
          if (answer !== undefined) this.say(answer);
        }
        done();
      },
    });
    this.qmp = new Qmp(this.stream);
  }

  say(...messages: object[]): void {
    this.send(messages.map((message) => `${JSON.stringify(message)}\r\n`).join(''));
  }

  send(text: string | Buffer): void {
    const bytes = Buffer.from(text as string);
    if (!this.#bytewise) this.stream.push(bytes);
    else for (let at = 0; at < bytes.length; at++) this.stream.push(bytes.subarray(at, at + 1));
  }
}

const fails = (code: string, message: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof GuestfsError);
  assert.match(thrown.message, message);
  assert.equal(thrown.code, code);
  return true;
};

for (const bytewise of [false, true])
  describe(bytewise ? 'byte by byte' : 'in one chunk', () => {
    const start = async (): Promise<FakeQemu> => {
      const qemu = new FakeQemu(bytewise);
      qemu.say(greeting);
      await qemu.qmp.negotiate();
      return qemu;
    };

    test('it is greeted, leaves the negotiation, and knows the version', async () => {
      const { qmp, heard } = await start();
      assert.equal(qmp.version, '7.2.22');
      assert.deepEqual(heard, [{ execute: 'qmp_capabilities', id: 1 }]);
    });

    test('a greeting without numbers gives none, and nothing that could be a path', async () => {
      const qemu = new FakeQemu(bytewise);
      qemu.say({ QMP: { version: { qemu: { major: '../..', minor: {}, micro: null } } } });
      await qemu.qmp.negotiate();
      assert.equal(qemu.qmp.version, '0.0.0');
    });

    test('answers find their commands in any order, with events between', async () => {
      const qemu = await start();
      const events: QmpEvent[] = [];
      const stop = qemu.qmp.onEvent((event) => events.push(event));
      qemu.answers = () => undefined;
      const one = qemu.qmp.command('one', { text: 'ä,b=\n"\\' });
      const two = qemu.qmp.command('two');
      const three = qemu.qmp.command('three');
      assert.deepEqual(qemu.heard[1]?.arguments, { text: 'ä,b=\n"\\' });
      qemu.say(
        { event: 'STOP', data: { a: 1 }, timestamp: {} },
        { return: [3], id: 4 },
        { event: 'RESUME' },
        { error: { class: 'DeviceNotFound', desc: 'no such thing' }, id: 2 },
        { return: 'two', id: 3 },
      );
      await assert.rejects(one, (thrown) => {
        assert.ok(thrown instanceof QmpError);
        assert.equal(thrown.qemuClass, 'DeviceNotFound');
        assert.equal(thrown.description, 'no such thing');
        assert.equal(thrown.message, 'qemu refused one: no such thing');
        return true;
      });
      assert.equal(await two, 'two');
      assert.deepEqual(await three, [3]);
      assert.deepEqual(events, [
        { event: 'STOP', data: { a: 1 } },
        { event: 'RESUME', data: {} },
      ]);
      stop();
      qemu.say({ event: 'STOP', data: {} });
      qemu.answers = ({ id }) => ({ return: {}, id });
      await qemu.qmp.command('next');
      assert.equal(events.length, 2);
    });

    const garbage: readonly (readonly [string, string | Buffer, RegExp])[] = [
      ['no JSON', 'Segmentation fault\n', /sent no JSON: Segmentation fault/],
      ['half of JSON', '{"QMP": \n', /sent no JSON/],
      ['no object', '[1,2]\n', /sent no object/],
      ['null', 'null\n', /sent no object/],
      ['bytes', Buffer.from([0xff, 0x00, 0x80, 0x0a]), /sent no JSON/],
    ];
    for (const [what, bytes, message] of garbage)
      test(`what is ${what} ends the connection, and every command`, async () => {
        const qemu = await start();
        qemu.answers = () => undefined;
        const commands = [qemu.qmp.command('one'), qemu.qmp.command('two', {}, { timeoutInMs: 0 })];
        qemu.send(bytes);
        for (const command of commands) await assert.rejects(command, fails('EPROTO', message));
        await assert.rejects(qemu.qmp.command('late'), fails('EPROTO', message));
        assert.ok(qemu.stream.destroyed);
      });

    test('an answer to a line that qemu could not read ends it too: nobody knows whose it was', async () => {
      const qemu = await start();
      qemu.answers = () => undefined;
      const command = qemu.qmp.command('one', {}, { timeoutInMs: 0 });
      qemu.say({ error: { class: 'GenericError', desc: 'JSON parse error' } });
      await assert.rejects(command, fails('EPROTO', /could not read a command: JSON parse error/));
    });

    test('the end of qemu rejects what waits, the greeting too', async () => {
      const qemu = new FakeQemu(bytewise);
      const greeted = assert.rejects(qemu.qmp.negotiate(), fails('EPIPE', /qemu closed its monitor/));
      qemu.send('{"QMP"');
      qemu.stream.push(null);
      await greeted;
      await assert.rejects(qemu.qmp.command('one'), fails('EPIPE', /closed its monitor/));
    });

    test('empty lines mean nothing', async () => {
      const qemu = await start();
      qemu.send('\n\r\n  \n');
      assert.deepEqual(await qemu.qmp.command('one'), {});
    });
  });

test('close rejects what waits, and is for ever', async () => {
  const qemu = new FakeQemu(false);
  const greeted = assert.rejects(qemu.qmp.negotiate(), fails('EPIPE', /was closed/));
  qemu.qmp.close();
  qemu.qmp.close();
  await greeted;
  await assert.rejects(qemu.qmp.command('one'), fails('EPIPE', /was closed/));
  assert.ok(qemu.stream.destroyed);
});

test('an error of the stream is the reason', async () => {
  const qemu = new FakeQemu(false);
  const greeted = assert.rejects(qemu.qmp.negotiate(), fails('EIO', /qemu's monitor: broken/));
  qemu.stream.destroy(new Error('broken'));
  await greeted;
});

test('what does not come is waited for as long as is said; what comes later is nobody’s', async () => {
  const mute = new FakeQemu(false);
  await assert.rejects(
    mute.qmp.negotiate({ timeoutInMs: 20 }),
    fails('ETIMEDOUT', /the greeting did not come within 0.02 seconds/),
  );
  const qemu = new FakeQemu(false);
  qemu.say(greeting);
  await qemu.qmp.negotiate();
  qemu.answers = () => undefined;
  await assert.rejects(
    qemu.qmp.command('slow', {}, { timeoutInMs: 20 }),
    fails('ETIMEDOUT', /the answer to slow did not come within 0.02 seconds/),
  );
  qemu.say({ return: 'late', id: 2 });
  qemu.answers = ({ id }) => ({ return: 'now', id });
  assert.equal(await qemu.qmp.command('next'), 'now');
});

test('a line has a limit', async () => {
  const qemu = new FakeQemu(false);
  qemu.say(greeting);
  await qemu.qmp.negotiate();
  qemu.answers = () => undefined;
  const whole = qemu.qmp.command('large');
  const long = 'x'.repeat(15 * 2 ** 20);
  qemu.say({ return: long, id: 2 });
  assert.equal(await whole, long);
  const command = assert.rejects(
    qemu.qmp.command('larger'),
    fails('EPROTO', /a line of more than 16777216 bytes/),
  );
  for (let i = 0; i < 17; i++) qemu.send('x'.repeat(2 ** 20));
  await command;
});

test('what is not UTF-8 is refused before qemu sees it, and nothing else is', async () => {
  const qemu = new FakeQemu(false);
  qemu.say(greeting);
  await qemu.qmp.negotiate();
  await assert.rejects(
    qemu.qmp.command('blockdev-add', { file: { export: 'a\udc80' } }),
    fails('EILSEQ', /"a\\udc80": qemu cannot be told what is not UTF-8/),
  );
  assert.equal(qemu.heard.length, 1);
  assert.deepEqual(await qemu.qmp.command('blockdev-add', { file: { export: '\\udc80 😀' } }), {});
});
