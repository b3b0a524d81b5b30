/**
 * A program that a test gives as the hypervisor: it speaks QMP and guestfsd's protocol on the descriptors that qemu would
 * have, boots in no time, and goes wrong in the way that its first argument names. Run by the scripts that `standIn` of
 * support.ts writes.
 */
import { appendFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { FakeDaemon, launchFlag } from './fake-daemon.js';

const [behaviour = '', log = '', ...args] = process.argv.slice(2);
const withKvm = args[args.indexOf('-accel') + 1] === 'kvm';
appendFileSync(log, `${JSON.stringify({ pid: process.pid, args })}\n`);

const goesWrong = (name: string): boolean =>
  behaviour === name || (withKvm && behaviour === `${name}-with-kvm`);

/** What lets a process go on for ever. */
const forever = (): void => void setInterval(() => {}, 1_000_000);

const monitor = (): Socket => new Socket({ fd: 3 });

function start(): void {
  if (behaviour.startsWith('says ')) {
    process.stderr.write(`qemu-system-x86_64: ${behaviour.slice('says '.length)}\n`);
    process.exitCode = 1;
    return;
  }
  if (goesWrong('quits')) return;
  if (goesWrong('mute')) return forever();
  if (goesWrong('aborts')) {
    process.stderr.write("kvm.c:3183: kvm_buf_set_msrs: Assertion `ret == n' failed.\n");
    process.kill(process.pid, 'SIGABRT');
    return forever();
  }
  serve();
}

function serve(): void {
  const qmp = monitor();
  const say = (message: object): void => void qmp.write(`${JSON.stringify(message)}\n`);
  if (goesWrong('babbles')) {
    qmp.write('this is no JSON\n');
    return forever();
  }
  say({ QMP: { version: { qemu: { major: 7, minor: 2, micro: 0 } }, capabilities: [] } });
  let rest = '';
  qmp.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { execute, id } = JSON.parse(line) as { execute: string; id: number };
      if (execute === 'quit' && goesWrong('stubborn')) continue;
      if (execute === 'query-target')
        say({ return: { arch: goesWrong('foreign') ? 'aarch64' : 'x86_64' }, id });
      else if (execute === 'query-status') say({ return: { status: 'internal-error' }, id });
      else if (execute === 'query-named-block-nodes') say({ return: [], id });
      else if (goesWrong('refuses') && execute === 'device_add')
        say({ error: { class: 'GenericError', desc: 'no more of these' }, id });
      else say({ return: {}, id });
      if (execute === 'cont') void boot(say);
      if (execute === 'quit') qmp.end(() => process.exit(0));
    }
  });
}

async function boot(say: (message: object) => void): Promise<void> {
  const console = new Socket({ fd: 5 });
  console.write('SeaBIOS (version 1.16)\r\nBooting from ROM...\r\n');
  if (goesWrong('blank')) return;
  if (goesWrong('stops')) {
    process.stderr.write('KVM internal error. Suberror: 1\n');
    say({ event: 'STOP', data: {} });
    return;
  }
  console.write('[    0.000000] Linux version 6.1.0\r\n');
  if (goesWrong('panics')) {
    console.write('[    0.5] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n');
    console.end(() => process.exit(0));
    return;
  }
  if (goesWrong('stuck')) return;
  const daemon = new FakeDaemon(new Socket({ fd: 4 }));
  if (goesWrong('stuck-daemon')) {
    await daemon.write(launchFlag);
    return;
  }
  await daemon.write(launchFlag);
  // Its end is the machine's affair.
  await answer(daemon, say).catch(forever);
}

/** Answers calls: `debug` of the words below as they say, all else as a daemon of libguestfs 1.48 that knows little. */
async function answer(daemon: FakeDaemon, say: (message: object) => void): Promise<void> {
  const numbers = { debug: 76, internal_autosync: 282 };
  for (;;) {
    const request = await daemon.request();
    if (request.proc > 510) await daemon.fail(request, '', `unknown procedure number ${request.proc}`);
    else if (request.proc === numbers.debug) {
      const words = request.args.toString('latin1');
      if (words.includes('hang')) return;
      if (words.includes('die')) process.kill(process.pid, 'SIGKILL');
      else if (words.includes('stop')) {
        process.stderr.write('KVM internal error. Suberror: 3\n');
        say({ event: 'STOP', data: {} });
        return;
      } else await daemon.give(request, 'debug', 'done');
    } else if (request.proc === numbers.internal_autosync && goesWrong('unsynced'))
      await daemon.fail(request, 'EIO', 'fsync: Input/output error');
    else await daemon.ok(request);
  }
}

start();
