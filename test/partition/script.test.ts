/** Lines for sfdisk make the partitions that sfdisk makes of them, or are refused by name. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UnsupportedError } from '../../src/base/index.js';
import { readScript } from '../../src/partition/index.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs, toolEnvironment } from '../support/tools.js';

const directory = scratchDirectory();
const size = 67_409_920; // no whole MiB

function bySfdisk(lines: readonly string[]): unknown[] {
  const path = join(directory, 'disk');
  writeFileSync(path, '');
  truncateSync(path, size);
  const options = { env: toolEnvironment, input: `${lines.join('\n')}\n` };
  execFileSync('sfdisk', ['-q', path], { ...options, stdio: ['pipe', 'ignore', 'ignore'] });
  const told = execFileSync('sfdisk', ['-d', path], { env: toolEnvironment, encoding: 'utf8' });
  return [...told.matchAll(/start=\s*(\d+), size=\s*(\d+), type=(\w+)(, bootable)?/g)].map(
    ([, start, count, type, bootable]) => ({
      first: Number(start),
      last: Number(start) + Number(count) - 1,
      mbrId: Number.parseInt(type ?? '', 16),
      bootable: bootable !== undefined,
    }),
  );
}

test('plain lines', needs('sfdisk'), () => {
  for (const lines of [
    [','],
    [';'],
    [',10', ',20', ','],
    [',10M', ',20M,L', ',,82,*'],
    ['2048,4096,82'],
    ['100,100', ',10M'],
    [',10M,S,*', '# comment', '', ',1M,0c,-'],
    [' , 10M , L , *'],
    ['4096'],
    ['4096,+,L'],
    [',1M', ',1M,7', ',1M,83', ',1M,U'],
  ])
    assert.deepEqual(readScript(lines, Math.floor(size / 512), 512), bySfdisk(lines), lines.join(' | '));
});

test('what sfdisk may know otherwise is refused by name', () => {
  for (const line of [
    'nonsense',
    ',1G',
    ',100K',
    ',10M,E',
    ',10M,5',
    '0,10',
    ',,nonsense',
    'start=5000',
    ',M',
    ',10,0',
  ])
    assert.throws(() => readScript([line], 131_072, 512), UnsupportedError, line);
  for (const lines of [
    [''],
    ['# nothing'],
    ['30000,100', ',10M', '100,100'],
    [',,L', ',10M'],
    [',1M,L,*', ',1M,L,*'],
    [',1M', ',1M', ',1M', ',1M', ',1M'],
  ])
    assert.throws(() => readScript(lines, 131_072, 512), UnsupportedError, lines.join(' | '));
});
