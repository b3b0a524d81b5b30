/** When the command starts the engine's thread before anything else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { willLaunch } from '../../src/cli/command/preload.js';

const line = (text: string): readonly string[] => text.split(' ').filter(Boolean);

test('a line that opens an image is foreseen', () => {
  for (const text of ['cat a.qcow2:/etc/passwd', 'ls -l a.img', 'a.qcow2', 'find a.img:/ --name x -h'])
    assert.equal(willLaunch(line(text), undefined), true, text);
  assert.equal(willLaunch(line('cat a.img:/x'), 'embedded'), true);
  assert.equal(willLaunch(line('cat a.img:/x'), 'auto'), true);
});

test('one that does not, or not with the embedded engine, starts no thread', () => {
  for (const text of [
    '',
    '--help',
    '-V',
    'help cat',
    'actions',
    'doctor',
    'cat --help',
    'ls --backend direct a.img',
    'ls --backend=direct a.img',
  ])
    assert.equal(willLaunch(line(text), undefined), false, text);
  assert.equal(willLaunch(line('cat a.img:/x'), 'direct'), false);
});
