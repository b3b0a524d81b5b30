/**
 * The real appliance from end to end, in as few boots as will do: drives of all kinds under odd names, settings,
 * progress, cancelling, and a qemu that is killed while it is busy.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Guestfs, type Progress } from '../../src/guestfs/index.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { pattern } from './fake-daemon.js';
import { assertAllGone, type Place, place, real } from './support.js';

/** The cache that all share: the appliance is built once. */
const sharedCache = '/var/tmp';
const mebibyte = 2 ** 20;

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

const qemuImg = (...args: string[]): void => {
  execFileSync('qemu-img', args, { env: toolEnvironment, stdio: 'ignore' });
};

/** Serves a raw image until the test is over. */
async function serve(
  t: TestContext,
  image: string,
  how: readonly string[],
  ready: () => boolean,
): Promise<void> {
  const server = spawn('qemu-nbd', ['--persistent', '-f', 'raw', ...how, image], {
    env: toolEnvironment,
    stdio: 'ignore',
  });
  t.after(() => server.kill());
  const end = performance.now() + 10_000;
  while (!ready() && performance.now() < end) await delay(20);
  await delay(100);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What a call told, and when. */
interface Heard {
  readonly reports: { readonly at: number; readonly progress: Progress }[];
  readonly startedAt: number;
}

function listener(): Heard & { onProgress: (progress: Progress) => void } {
  const startedAt = performance.now();
  const reports: Heard['reports'] = [];
  return { startedAt, reports, onProgress: (progress) => reports.push({ at: performance.now(), progress }) };
}

/** The rules of progress. `least`: how many reports must have come. */
function assertOrderly({ reports, startedAt }: Heard, procNr: number, least: number): void {
  assert.ok(reports.length >= least, `${reports.length} reports`);
  if (reports.length === 0) return;
  assert.ok((reports[0]?.at ?? 0) - startedAt >= 1990, 'the first after two seconds');
  const numbers = reports.map(({ progress }) => progress);
  assert.equal(new Set(numbers.map(({ serial }) => serial)).size, 1);
  assert.ok(numbers.every((progress) => progress.procNr === procNr));
  assert.ok(numbers.every(({ position, total }) => position >= 0 && position <= total));
  for (const [index, { position }] of numbers.entries())
    assert.ok(index === 0 || position >= (numbers[index - 1]?.position ?? 0), 'never falls');
  const last = numbers.at(-1);
  assert.equal(last?.position, last?.total);
  // The last one comes when the call is over; all others keep a third of a second between them.
  for (const [index, { at }] of reports.slice(0, -1).entries())
    assert.ok(index === 0 || at - (reports[index - 1]?.at ?? 0) >= 320, 'at most three a second');
}

const names = [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `/dev/sd${letter}`);
const thirty = [...names, '/dev/sdaa', '/dev/sdab', '/dev/sdac', '/dev/sdad'];

/** What a shell in the appliance says. */
const shell = async (g: Guestfs, command: string): Promise<string> =>
  (await g.debug('sh', ['sh', '-c', `'${command}'`])).trim();

interface Images {
  readonly readonly: string;
  readonly writable: string;
  readonly top: string;
  readonly labelled: string;
  readonly sectors: string;
  readonly reads: string;
  readonly served: string;
  readonly servedToo: string;
}

/** Images under names that mean something to somebody. */
function makeImages({ directory }: Place): Images {
  const at = (name: string): string => join(directory, name);
  const images = {
    readonly: at('json:{"driver":"null-co"}'),
    writable: at('a,readonly=on,b=c.img'),
    top: at('top "quoted".qcow2'),
    labelled: at('file:x'),
    sectors: at('back\\slash\nnew line'),
    reads: at('nbd:localhost:1'),
    served: at('served'),
    servedToo: at('served too'),
  };
  for (const path of [images.readonly, images.writable, images.reads, images.served, images.servedToo]) {
    writeFileSync(path, pattern(mebibyte));
    truncateSync(path, 8 * mebibyte);
  }
  writeFileSync(images.labelled, Buffer.alloc(16 * mebibyte, 7));
  writeFileSync(images.sectors, Buffer.alloc(4 * mebibyte));
  // base <- middle <- top, by relative names.
  const base = at('base.img');
  writeFileSync(base, pattern(mebibyte));
  truncateSync(base, 4 * mebibyte);
  qemuImg('create', '-q', '-f', 'qcow2', '-b', 'base.img', '-F', 'raw', at('middle.qcow2'));
  qemuImg('create', '-q', '-f', 'qcow2', '-b', 'middle.qcow2', '-F', 'qcow2', images.top);
  return images;
}

describe('the real appliance', real, () => {
  test('drives of all kinds, settings, progress, cancelling, and a sudden end', {
    ...needs('qemu-nbd'),
    timeout: 600_000,
  }, async (t) => {
    const where = place(t);
    // Apart from where nothing is to be left: servers have these open.
    const images = makeImages(place(t));
    const port = await freePort();
    const socket = join(dirname(images.served), 'nbd,socket');
    await serve(t, images.served, ['-k', socket], () => existsSync(socket));
    await serve(t, images.servedToo, ['-b', '127.0.0.1', '-p', `${port}`, '-x', 'an,export'], () => true);
    const tmp = join(where.tmp, 'a,b=c "d" \\ \'e\'\n{}');
    mkdirSync(tmp);

    const g = new Guestfs({ environment: false, backend: 'direct', stderr: null });
    t.after(() => g.close().catch(() => {})); // whether it closes well is said below
    const quits: string[] = [];
    g.on('subprocessQuit', () => quits.push(g.state));
    g.setTmpdir(tmp);
    g.setCachedir(sharedCache);
    g.setBackendSettings(['force_tcg', 'other,readonly=off']);
    g.setMemsize(768);
    g.setSmp(2);
    g.setNetwork(true);
    g.setAppend('guestfs_test="a,b=c" guestfs_last');
    g.config('-uuid', '12345678-1234-1234-1234-123456789abc');
    g.addDriveScratch(1024 * mebibyte);
    g.addDrive(images.readonly, { readonly: true, format: 'raw' });
    g.addDrive(images.writable, { format: 'raw' });
    g.addDrive(images.top, { readonly: true });
    g.addDrive(images.labelled, { format: 'raw', label: 'DATA', discard: 'enable' });
    g.addDrive(images.sectors, { format: 'raw', blocksize: 4096 });
    g.addDrive(images.reads, { format: 'raw', readonly: true, copyonread: true });
    g.addDrive('', { format: 'raw', protocol: 'nbd', server: [`unix:${socket}`], readonly: true });
    g.addDrive('an,export', { format: 'raw', protocol: 'nbd', server: [`127.0.0.1:${port}`] });
    for (let index = 9; index < 30; index++) g.addDriveScratch(index * mebibyte);
    const before = {
      readonly: sha256(images.readonly),
      served: sha256(images.served),
      top: sha256(images.top),
    };
    await g.launch();

    await t.test('thirty drives have their names in the order in which they were added', async () => {
      assert.deepEqual(await g.listDevices(), thirty);
      for (const index of [9, 25, 26, 29])
        assert.equal(await g.blockdevGetsize64(thirty[index] ?? ''), index * mebibyte);
    });

    await t.test('odd names are those of the images that were opened', async () => {
      const start = Buffer.from(pattern(4096));
      for (const device of ['/dev/sdb', '/dev/sdc', '/dev/sdd', '/dev/sdg', '/dev/sdh', '/dev/sdi'])
        assert.deepEqual(Buffer.from(await g.preadDevice(device, 4096, 0)), start, device);
      assert.equal(await g.blockdevGetsize64('/dev/sdb'), 8 * mebibyte);
      assert.equal(await g.blockdevGetsize64('/dev/sdd'), 4 * mebibyte);
    });

    await t.test('labels, sectors and discarding are as asked for', async () => {
      assert.deepEqual([...(await g.listDiskLabels())], [['DATA', '/dev/sde']]);
      assert.equal(await g.blockdevGetsize64('/dev/disk/guestfs/DATA'), 16 * mebibyte);
      assert.equal(await g.blockdevGetss('/dev/sdf'), 4096);
      assert.equal(await g.blockdevGetss('/dev/sde'), 512);
      const blocks = statSync(images.labelled).blocks;
      await g.blkdiscard('/dev/sde');
      assert.ok(statSync(images.labelled).blocks < blocks / 2, 'the host has its room again');
    });

    await t.test('settings have reached the machine', async () => {
      assert.equal(await shell(g, 'nproc'), '2');
      const kilobytes = Number(await shell(g, 'sed -n "s/MemTotal: *\\([0-9]*\\) kB/\\1/p" /proc/meminfo'));
      assert.ok(kilobytes > 600 * 1024 && kilobytes < 768 * 1024, `${kilobytes}`);
      assert.match(
        await shell(g, 'cat /proc/cmdline'),
        / guestfs_network=1 .*guestfs_test="a,b=c" guestfs_last$/,
      );
      assert.match(
        await shell(g, 'cat /sys/class/dmi/id/product_uuid'),
        /^12345678-1234-1234-1234-123456789abc$/i,
      );
      assert.match(await shell(g, 'ls /sys/class/net'), /\beth0\b|\ben/);
    });

    await t.test('what is written stays where it may', async () => {
      const written = Buffer.from('written by the guest'.padEnd(512, '.'));
      for (const device of ['/dev/sdb', '/dev/sdc', '/dev/sdd', '/dev/sdh', '/dev/sdi']) {
        if (device === '/dev/sdh') continue;
        await g.pwriteDevice(device, written, 2 * mebibyte);
        assert.deepEqual(Buffer.from(await g.preadDevice(device, 512, 2 * mebibyte)), written, device);
      }
      // Below the layer that takes its writes a server's disk is read only too.
      await g.pwriteDevice('/dev/sdh', written, 0);
      await g.sync();
      assert.ok(
        readFileSync(images.writable)
          .subarray(2 * mebibyte)
          .equals(Buffer.concat([written, Buffer.alloc(6 * mebibyte - 512)])),
      );
      assert.equal(
        readFileSync(images.servedToo)
          .subarray(2 * mebibyte)
          .indexOf('written by the guest'),
        0,
      );
    });

    await t.test('progress is told in order', async () => {
      const heard = listener();
      const whole: Progress[] = [];
      const stop = g.on('progress', (progress) => whole.push(progress));
      await g.debug('progress', ['5'], { onProgress: heard.onProgress });
      stop();
      assertOrderly(heard, 76, 6);
      assert.deepEqual(
        whole,
        heard.reports.map(({ progress }) => progress),
      );
      const source = join(where.directory, 'sparse');
      writeFileSync(source, '');
      truncateSync(source, 1024 * mebibyte);
      const upload = listener();
      await g.upload(source, '/dev/sda', { onProgress: upload.onProgress });
      assertOrderly(upload, 66, performance.now() - upload.startedAt > 3000 ? 2 : 0);
      const zero = listener();
      await g.zeroDevice('/dev/sda', { onProgress: zero.onProgress });
      assertOrderly(zero, 228, performance.now() - zero.startedAt > 4000 ? 2 : 0);
    });

    await t.test('a transfer that is cancelled ends soon, and the handle goes on', async () => {
      const source = join(where.directory, 'sparse');
      for (const transfer of ['upload', 'download', 'stream'] as const) {
        const abort = new AbortController();
        let _taken = 0;
        const slow = new Writable({
          write(chunk: Buffer, _encoding, done) {
            _taken += chunk.length;
            setTimeout(done, 1);
          },
        });
        const target = join(where.directory, 'target');
        const call =
          transfer === 'upload'
            ? g.upload(source, '/dev/sda', { signal: abort.signal })
            : g.download('/dev/sda', transfer === 'stream' ? slow : target, { signal: abort.signal });
        const cancelled = assert.rejects(call, {
          code: 'ECANCELED',
          message: `${transfer === 'upload' ? 'upload' : 'download'}: cancelled`,
        });
        await delay(1000);
        assert.equal(g.state, 'busy', transfer);
        const start = performance.now();
        abort.abort();
        await cancelled;
        assert.ok(performance.now() - start < 2000, transfer);
        assert.ok(!existsSync(target), 'half a file is none');
        assert.equal(await g.blockdevGetsize64('/dev/sdb'), 8 * mebibyte);
        assert.ok(performance.now() - start < 15_000, `the next call after ${transfer}`);
      }
    });

    await t.test(
      'a qemu that is killed while it is busy is one clear error, and the next launch works',
      async () => {
        const source = join(where.directory, 'sparse');
        const running = assert.rejects(g.upload(source, '/dev/sda'), {
          code: 'EIO',
          message:
            /^upload: the appliance's qemu was ended by SIGKILL before the call was done; [^\n]*launch again$/,
        });
        const waiting = assert.rejects(g.listDevices(), { code: 'EBADFD' });
        await delay(500);
        process.kill(g.getPid(), 'SIGKILL');
        await Promise.all([running, waiting]);
        assert.equal(g.state, 'config');
        assert.deepEqual(quits, ['config']);
        await delay(50);
        assert.deepEqual(quits, ['config']);
        await assertAllGone({ ...where, tmp });
      },
    );

    await t.test('read-only images are as they were, to the last byte', () => {
      assert.deepEqual(
        { readonly: sha256(images.readonly), served: sha256(images.served), top: sha256(images.top) },
        before,
      );
    });

    g.addDrive(images.writable, { format: 'raw' });
    await g.launch();
    assert.equal(
      Buffer.from(await g.preadDevice('/dev/sda', 20, 2 * mebibyte)).toString(),
      'written by the guest',
    );
    const call = g.debug('sh', ['sleep', '30']);
    const abort = assert.rejects(call, { code: 'ECANCELED' });
    await delay(200);
    const start = performance.now();
    await assert.rejects(g.close(), {
      code: 'ETIMEDOUT',
      message: /still busy with a call that was cancelled/,
    });
    await abort;
    assert.ok(performance.now() - start < 12_000);
    await assertAllGone({ ...where, tmp });
  });

  test('an image that names others is believed as far as the policy says; LIBGUESTFS_TRACE and LIBGUESTFS_DEBUG show', {
    timeout: 200_000,
  }, async (t) => {
    const where = place(t);
    const elsewhere = join(where.directory, 'elsewhere');
    const here = join(where.directory, 'here');
    for (const directory of [elsewhere, here]) mkdirSync(directory);
    const base = join(elsewhere, 'base.img');
    writeFileSync(base, pattern(mebibyte));
    const image = join(here, 'image.qcow2');
    qemuImg('create', '-q', '-f', 'qcow2', '-b', base, '-F', 'raw', image);
    const nested = join(here, 'nested.qcow2');
    qemuImg(
      'create',
      '-q',
      '-f',
      'qcow2',
      '-b',
      `json:{"driver":"raw","file":{"driver":"file","filename":"${base}"}}`,
      '-F',
      'raw',
      nested,
    );

    for (const path of [image, nested]) {
      await using refused = new Guestfs({ environment: false, backend: 'direct', stderr: null });
      refused.setTmpdir(where.tmp);
      refused.setCachedir(sharedCache);
      refused.setBackendSettings(['force_tcg']);
      refused.addDrive(path, { readonly: true });
      await assert.rejects(refused.launch(), /trusted/);
      assert.equal(refused.state, 'config');
      await assertAllGone(where);
    }

    const said: string[] = [];
    const saved = { ...process.env };
    Object.assign(process.env, {
      LIBGUESTFS_TRACE: '1',
      LIBGUESTFS_DEBUG: '1',
      LIBGUESTFS_BACKEND: 'direct',
      LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg',
      LIBGUESTFS_CACHEDIR: sharedCache,
      LIBGUESTFS_TMPDIR: where.tmp,
    });
    let g: Guestfs;
    try {
      g = new Guestfs({ policy: 'trusted', stderr: { write: (text: string) => said.push(text) } });
    } finally {
      process.env = saved;
    }
    g.addDrive(image, { readonly: true });
    g.addDrive(nested, { readonly: true });
    await g.launch();
    for (const device of ['/dev/sda', '/dev/sdb'])
      assert.deepEqual(Buffer.from(await g.preadDevice(device, 512, 0)), Buffer.from(pattern(512)));
    await g.close();
    const lines = said.join('').split('\n');
    const has = (pattern: RegExp): void =>
      assert.ok(
        lines.some((line) => pattern.test(line)),
        `${pattern}`,
      );
    has(/^libguestfs: trace: add_drive ".*image\.qcow2" "readonly:true"$/);
    has(/^libguestfs: trace: launch$/);
    has(/^libguestfs: trace: launch = 0$/);
    has(/^libguestfs: trace: pread_device "\/dev\/sda" 512 0$/);
    has(/qemu-system-x86_64 -no-user-config -nodefaults /);
    has(/Linux version /);
    has(/guestfsd: /);
    has(/^libguestfs: trace: close$/);
    await assertAllGone(where);
  });
});
