/** Wrong calls are refused with an error that says what is wrong; right ones pass, in the form of backends. */
import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { type ActionName, checkArguments, checkCall } from '../../src/api/index.js';

const refuses = (
  name: ActionName,
  args: readonly unknown[],
  message: string,
  type: new (message: string) => Error = TypeError,
  options?: unknown,
): void => {
  assert.throws(
    () => checkArguments(name, args, options),
    (error) => {
      assert.ok(error instanceof type, String(error));
      assert.equal(error.message, message);
      return true;
    },
  );
};

test('a right call passes unchanged', () => {
  assert.deepEqual(checkArguments('mount', ['/dev/sda1', '/']), {
    args: ['/dev/sda1', '/'],
    options: {},
    controls: {},
  });
  assert.deepEqual(checkArguments('set_append', [null]).args, [null]);
  assert.deepEqual(checkArguments('head_n', [-3, '/x']).args, [-3, '/x']);
});

test('a missing argument, a wrong type and too many arguments are named', () => {
  refuses('mount', ['/dev/sda1'], 'mount: argument 2 (mountpoint) must be a string, not undefined');
  refuses('mount', [null, '/'], 'mount: argument 1 (mountable) must be a string, not null');
  refuses('mount', ['/dev/sda1', {}], 'mount: argument 2 (mountpoint) must be a string, not an object');
  refuses('mount', ['/dev/sda1', ['/']], 'mount: argument 2 (mountpoint) must be a string, not an array');
  refuses('mount', ['a', 'b', 'c'], 'mount: takes 2 arguments (mountable, mountpoint), not 3');
  refuses('lvs', ['a'], 'lvs: takes 0 arguments (none), not 1');
  refuses('set_verbose', [1], 'set_verbose: argument 1 (verbose) must be a boolean, not a number');
  refuses('set_path', [7], 'set_path: argument 1 (searchpath) must be a string or null, not a number');
  refuses('write', ['/x', 7], 'write: argument 2 (content) must be a Uint8Array or a string, not a number');
  refuses(
    'write',
    ['/x', new Uint16Array(1)],
    'write: argument 2 (content) must be a Uint8Array or a string, not a Uint16Array',
  );
});

test('the name of the method that was called can stand in the message', () => {
  assert.throws(
    () => checkArguments('part_list', [], undefined, 'partList'),
    /^TypeError: partList: argument 1/,
  );
});

test('strings with a NUL are refused, also in lists', () => {
  refuses('cat', ['/a\0b'], 'cat: argument 1 (path) must not contain a NUL character');
  refuses(
    'available',
    [['lvm2', 'x\0']],
    'available: argument 1 (groups) element 2 must not contain a NUL character',
  );
  refuses(
    'available',
    [['lvm2', 3]],
    'available: argument 1 (groups) element 2 must be a string, not a number',
  );
  refuses('available', ['lvm2'], 'available: argument 1 (groups) must be an array of strings, not a string');
});

test('numbers must be whole and within their range', () => {
  const range = RangeError;
  refuses('head_n', [1.5, '/x'], 'head_n: argument 1 (nrlines) must be a whole number, not 1.5', range);
  refuses(
    'head_n',
    [Number.NaN, '/x'],
    'head_n: argument 1 (nrlines) must be a whole number, not NaN',
    range,
  );
  refuses(
    'head_n',
    [2 ** 31, '/x'],
    'head_n: argument 1 (nrlines) must fit in 32 bits, not 2147483648',
    range,
  );
  refuses('head_n', ['3', '/x'], 'head_n: argument 1 (nrlines) must be a number, not a string');
  assert.deepEqual(checkArguments('head_n', [-(2 ** 31), '/x']).args[0], -(2 ** 31));
  assert.deepEqual(checkArguments('truncate_size', ['/x', 2 ** 53 - 1]).args[1], 2 ** 53 - 1);
  refuses(
    'truncate_size',
    ['/x', 2 ** 53],
    'truncate_size: argument 2 (size) must be within ±(2^53 − 1), where numbers are exact, not 9007199254740992',
    range,
  );
  refuses('truncate_size', ['/x', 5n], 'truncate_size: argument 2 (size) must be a number, not a bigint');
});

test('a mask of 64 bits may be a number or a bigint, and arrives as a bigint', () => {
  const check = (bits: unknown) => checkArguments('part_set_gpt_attributes', ['/dev/sda', 1, bits]).args[2];
  assert.equal(check(4), 4n);
  assert.equal(check(2n ** 64n - 1n), 2n ** 64n - 1n);
  for (const bad of [-1, 2 ** 53, 0.5, 2n ** 64n, -1n]) assert.throws(() => check(bad), RangeError);
  for (const bad of ['4', null, undefined]) assert.throws(() => check(bad), TypeError);
});

test('text for a buffer arrives as bytes, and escaped bytes as themselves', () => {
  assert.deepEqual(checkArguments('write', ['/x', 'hé\0']).args[1], Uint8Array.of(0x68, 0xc3, 0xa9, 0));
  assert.deepEqual([...(checkArguments('write', ['/x', 'a\udcff']).args[1] as Uint8Array)], [0x61, 0xff]);
  const bytes = Uint8Array.of(1, 2, 0);
  assert.equal(checkArguments('write', ['/x', bytes]).args[1], bytes);
});

test('a GUID must look like one', () => {
  const guid = 'C12A7328-F81F-11D2-BA4B-00a0c93ec93b';
  const check = (text: unknown) => checkArguments('part_set_disk_guid', ['/dev/sda', text]);
  assert.equal(check(guid).args[1], guid);
  assert.equal(check(`{${guid}}`).args[1], `{${guid}}`);
  for (const bad of ['', guid.slice(1), guid.replace('C', 'G'), 1])
    assert.throws(() => check(bad), TypeError);
});

test('a file may be a path or a stream of the right direction', () => {
  const upload = (source: unknown) => checkArguments('upload', [source, '/x']);
  const download = (sink: unknown) => checkArguments('download', ['/x', sink]);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(1);
  }
  for (const good of ['/host/file', Readable.from([]), chunks(), new ReadableStream()]) upload(good);
  for (const good of ['/host/file', new Writable(), new WritableStream()]) download(good);
  for (const bad of [undefined, null, 5, '', 'a\0', {}, new Uint8Array(1)]) {
    assert.throws(() => upload(bad), TypeError);
    assert.throws(() => download(bad), TypeError);
  }
  assert.throws(() => download(chunks()), /must be a path on the host or a writable stream, not a/);
});

test('a pointer of the C library is refused', () => {
  assert.throws(
    () => checkArguments('add_libvirt_dom', [1]),
    /argument 1 \(dom\) is a pointer of the C library/,
  );
});

test('options are checked by name and type, and undefined ones are left out', () => {
  const { options, controls } = checkArguments('add_drive', ['x'], {
    readonly: true,
    format: undefined,
    server: ['a', 'b'],
    blocksize: 4096,
  });
  assert.deepEqual(options, { readonly: true, server: ['a', 'b'], blocksize: 4096 });
  assert.deepEqual(controls, {});
  const wrong = (options: unknown, message: string) =>
    refuses('add_drive', ['x'], message, TypeError, options);
  wrong({ readony: true }, 'add_drive: no option readony; did you mean readonly?');
  wrong({ readonly: 'yes' }, 'add_drive: option readonly must be a boolean, not a string');
  wrong({ format: null }, 'add_drive: option format must be a string, not null');
  wrong({ server: 'a' }, 'add_drive: option server must be an array of strings, not a string');
  wrong('readonly', 'add_drive: the optional arguments must be an object, not a string');
  wrong(null, 'add_drive: the optional arguments must be an object, not null');
  for (const inherited of ['constructor', '__proto__', 'toString'])
    assert.throws(
      () => checkArguments('add_drive', ['x'], Object.fromEntries([[inherited, 1]])),
      /add_drive: no option /,
    );
});

test('signal and onProgress are taken apart from the options', () => {
  const { signal } = new AbortController();
  const onProgress = (): void => {};
  const checked = checkArguments('tar_out', ['/', '/t'], { compress: 'gzip', signal, onProgress });
  assert.deepEqual(checked.options, { compress: 'gzip' });
  assert.equal(checked.controls.signal, signal);
  assert.equal(checked.controls.onProgress, onProgress);
  assert.deepEqual(checkArguments('ls', ['/'], { signal: undefined, onProgress: undefined }).controls, {});
  refuses('ls', ['/'], 'ls: signal must be an AbortSignal, not an object', TypeError, { signal: {} });
  refuses('ls', ['/'], 'ls: onProgress must be a function, not a boolean', TypeError, { onProgress: true });
  refuses('ls', ['/'], 'ls: no option sort; it has signal, onProgress', TypeError, { sort: 1 });
});

test('a call that is over at once takes no signal', () => {
  refuses('get_verbose', [], 'get_verbose: no option signal', TypeError, { signal: undefined });
});

test('a call in one list has the options after the required arguments', () => {
  assert.deepEqual(checkCall('add_drive', ['x', { readonly: true }]).options, { readonly: true });
  assert.deepEqual(checkCall('add_drive', ['x']).args, ['x']);
  assert.deepEqual(checkCall('add_drive', ['x', undefined]).options, {});
  assert.throws(
    () => checkCall('mount', ['a', 'b', {}, 1]),
    /^TypeError: mount: takes 2 arguments \(mountable, mountpoint\) and an object of options, not 4$/,
  );
  assert.throws(
    () => checkCall('mount', ['a', 'b', 'c']),
    /the optional arguments must be an object, not a string/,
  );
  assert.throws(() => checkCall('mount', ['a']), /argument 2 \(mountpoint\) must be a string, not undefined/);
});
