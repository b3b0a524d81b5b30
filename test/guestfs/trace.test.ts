import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestfsError } from '../../src/base/index.js';
import { traceCall, traceFailure, traceResult } from '../../src/guestfs/events/trace.js';
import type { Guestfs } from '../../src/guestfs/index.js';
import { imageFile, launchedHandle } from './fake.js';

/** The trace of what is done with a handle. */
async function traceOf(
  act: (g: Guestfs) => unknown,
  answers: Readonly<Record<string, unknown>> = {},
): Promise<string[]> {
  const handle = await launchedHandle();
  for (const [action, value] of Object.entries(answers)) handle.backend.answers.set(action, value);
  handle.g.setTrace(true);
  const lines: string[] = [];
  const stop = handle.g.on('trace', (line) => lines.push(line));
  await act(handle.g);
  stop();
  handle.g.setTrace(false);
  await handle.g.close();
  return lines;
}

// The lines are those that libguestfs 1.48.6 wrote for the same calls.
describe('trace', () => {
  test('a call and its result are a line each', async () => {
    assert.deepEqual(await traceOf((g) => g.mount('/dev/sda1', '/'), { mount: undefined }), [
      'mount "/dev/sda1" "/"',
      'mount = 0',
    ]);
  });

  test('settings are traced too', async () => {
    assert.deepEqual(await traceOf((g) => [g.getMemsize(), g.getAppend(), g.setVerbose(false)]), [
      'get_memsize',
      'get_memsize = 1280',
      'get_append',
      'get_append = "NULL"',
      'set_verbose false',
      'set_verbose = 0',
    ]);
  });

  test('a failure is −1 where the C function gives a number, and NULL where a pointer', async () => {
    const handle = await launchedHandle();
    const lines: string[] = [];
    handle.g.setTrace(true);
    handle.g.on('trace', (line) => lines.push(line));
    for (const call of [handle.g.mount('/dev/sda1', '/'), handle.g.listDevices()]) {
      handle.backend.last.reject(new GuestfsError('EIO', 'no'));
      await assert.rejects(call);
    }
    assert.throws(() => handle.g.addDriveScratch(512));
    assert.deepEqual(lines, [
      'mount "/dev/sda1" "/"',
      'mount = -1 (error)',
      'list_devices',
      'list_devices = NULL (error)',
      'add_drive_scratch 512',
      'add_drive_scratch = -1 (error)',
    ]);
    await handle.g.close();
  });

  test('lines of calls that wait come in pairs, in their turn, also of one that is refused', async () => {
    const handle = await launchedHandle();
    handle.g.setTrace(true);
    const lines: string[] = [];
    handle.g.on('trace', (line) => lines.push(line));
    const stop = new AbortController();
    const first = handle.g.zero('/dev/sda');
    const second = handle.g.zero('/dev/sdb');
    const third = handle.g.zero('/dev/sdc', { signal: stop.signal });
    stop.abort();
    await assert.rejects(third);
    handle.backend.last.resolve();
    await first;
    handle.backend.last.resolve();
    await second;
    assert.deepEqual(lines, [
      'zero "/dev/sda"',
      'zero "/dev/sdc"',
      'zero = -1 (error)',
      'zero = 0',
      'zero "/dev/sdb"',
      'zero = 0',
    ]);
    await handle.g.close();
  });

  test('arguments of each kind', () => {
    assert.equal(
      traceCall('add_drive', ['/tmp/a.img'], {
        blocksize: 512,
        label: 'zz',
        readonly: false,
        server: ['h:1', 'h2'],
        format: 'raw',
      }),
      'add_drive "/tmp/a.img" "readonly:false" "format:raw" "label:zz" "server:h:1 h2" "blocksize:512"',
    );
    assert.equal(traceCall('set_append', [null], {}), 'set_append null');
    assert.equal(traceCall('config', ['-foo', null], {}), 'config "-foo" null');
    assert.equal(traceCall('echo_daemon', [['a', 'b c']], {}), 'echo_daemon "a b c"');
    assert.equal(traceCall('mknod', [0o644, 8, 1, '/n'], {}), 'mknod 420 8 1 "/n"');
    const stream = new ReadableStream();
    assert.equal(traceCall('upload', [stream, '/up'], {}), 'upload <stream> "/up"');
    assert.equal(traceCall('upload', ['/a', '/up'], {}), 'upload "/a" "/up"');
  });

  test('secrets are not shown', () => {
    assert.equal(traceCall('luks_format', ['/dev/sda1', 'SECRET', 0], {}), 'luks_format "/dev/sda1" "***" 0');
    assert.ok(!traceCall('add_drive', ['e'], { protocol: 'rbd', secret: 'SECRET' }).includes('SECRET'));
  });

  test('bytes are escaped, and cut after 256', () => {
    const bytes = new TextEncoder().encode('a"b\\c\n\t\x01é\x7f');
    assert.equal(traceCall('write', ['/f', bytes], {}), 'write "/f" "a"b\\c\\x0a\\x09\\x01\\xc3\\xa9\\x7f"');
    const long = new Uint8Array(5000).fill(120);
    const shown = `"${'x'.repeat(256)}"<truncated, original size 5000 bytes>`;
    assert.equal(traceCall('write', ['/g', long], {}), `write "/g" ${shown}`);
    assert.equal(traceResult('read_file', long), `read_file = ${shown}`);
  });

  test('results of each kind', () => {
    assert.equal(traceResult('exists', true), 'exists = 1');
    assert.equal(traceResult('exists', false), 'exists = 0');
    assert.equal(traceResult('filesize', 11), 'filesize = 11');
    assert.equal(traceResult('cat', 'a "b"\n'), 'cat = "a "b"\n"');
    assert.equal(
      traceResult('list_devices', ['/dev/sda', '/dev/sdb']),
      'list_devices = ["/dev/sda", "/dev/sdb"]',
    );
    assert.equal(
      traceResult('list_filesystems', new Map([['/dev/sda1', 'ext2']])),
      'list_filesystems = ["/dev/sda1", "ext2"]',
    );
    assert.equal(
      traceResult('version', { major: 1, minor: 48, release: 6, extra: '' }),
      'version = <struct guestfs_version = major: 1, minor: 48, release: 6, extra: , >',
    );
    assert.equal(
      traceResult('part_list', [{ partNum: 1, partStart: 65536, partEnd: 209650175, partSize: 209584640 }]),
      'part_list = <struct guestfs_partition_list(1) = [0]{part_num: 1, part_start: 65536, part_end: 209650175, part_size: 209584640, }>',
    );
    assert.equal(
      traceResult('getxattrs', [{ attrname: 'user.a', attrval: new Uint8Array([1, 65]) }]),
      'getxattrs = <struct guestfs_xattr_list(1) = [0]{attrname: user.a, attrval: "\\x01A", }>',
    );
    assert.equal(traceFailure('exists'), 'exists = -1 (error)');
    assert.equal(traceFailure('statvfs'), 'statvfs = NULL (error)');
  });

  test('launch and close are traced', async () => {
    const lines: string[] = [];
    const handle = await launchedHandle();
    await handle.g.shutdown();
    handle.g.setTrace(true);
    handle.g.on('trace', (line) => lines.push(line));
    handle.g.addDrive(imageFile('traced.img'));
    await handle.g.launch();
    await handle.g.close();
    assert.deepEqual(lines.slice(1), ['add_drive = 0', 'launch', 'launch = 0', 'close']);
  });
});
