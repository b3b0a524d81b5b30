/** Names of a guest as names on a host, by platform. */
import assert from 'node:assert/strict';
import { win32 } from 'node:path';
import { test } from 'node:test';
import { hostNameProblem } from '../../src/formats/index.js';

const refusedBy = (platform: string) => (name: string) => hostNameProblem(name, platform) !== undefined;

test('no host has a name that is a path', () => {
  for (const platform of ['linux', 'darwin', 'win32', 'freebsd'])
    for (const name of ['', '.', '..', 'a/b', '../x', 'a\0b'])
      assert.ok(refusedBy(platform)(name), `${platform} ${JSON.stringify(name)}`);
});

test('Linux has every other name, whatever its bytes', () => {
  for (const name of ['..\\..\\evil.txt', 'a:b', 'CON', 'dot.', 'blank ', '...', 'caf\udce9', '\n', '*?"<>|'])
    assert.equal(hostNameProblem(name, 'linux'), undefined, name);
});

test('macOS has all but those that are no Unicode', () => {
  assert.equal(hostNameProblem('..\\evil', 'darwin'), undefined);
  assert.equal(hostNameProblem('CON', 'darwin'), undefined);
  assert.match(hostNameProblem('caf\udce9', 'darwin') ?? '', /Unicode/);
});

test('Windows has no name that leads out, and none that it reads as something else', () => {
  const names = {
    separator: ['..\\..\\evil.txt', '\\\\server\\share', 'a\\b'],
    'drive or stream': ['a:b', 'C:', 'file::$DATA'],
    wildcard: ['*', 'a?', '<', '>', '"', '|', 'tab\t'],
    device: ['CON', 'con', 'Nul.txt', 'aux .c', 'COM1', 'lpt9.tar.gz', 'COM\u00b9', 'CONIN$', 'PRN.'],
    end: ['dot.', 'blank ', '...', 'a. .'],
    'no Unicode': ['caf\udce9'],
  };
  for (const [kind, each] of Object.entries(names))
    for (const name of each) assert.ok(refusedBy('win32')(name), `${kind}: ${JSON.stringify(name)}`);
});

test('Windows has the names beside those', () => {
  for (const name of [
    'console',
    'com',
    'COM10',
    'nul1',
    '.profile',
    'a b',
    'ä',
    'x.CON',
    'lpt',
    '日本',
    'a,b;c=d',
  ])
    assert.equal(hostNameProblem(name, 'win32'), undefined, name);
});

test('a name that Windows may have stays in its directory, and is the same to Windows', () => {
  const parts = ['a', '.', '..', '\\', '/', ':', ' ', 'CON', 'NUL', '*', '\u0001', 'é', '.txt', '$', '1'];
  let seed = 42;
  const next = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  let passed = 0;
  for (let round = 0; round < 20_000; round++) {
    const name = Array.from({ length: 1 + next(5) }, () => parts[next(parts.length)]).join('');
    if (hostNameProblem(name, 'win32') !== undefined) continue;
    passed++;
    const place = win32.resolve('D:\\target', name);
    assert.equal(place, `D:\\target\\${name}`);
    assert.equal(win32.basename(place), name);
  }
  assert.ok(passed > 500, `only ${passed} names passed`);
});
