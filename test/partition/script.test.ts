/** Lines for sfdisk make the partitions that sfdisk makes of them, or are refused by name. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UnsupportedError } from '../../src/base/index.js';
import { MemoryDisk } from '../../src/disk/index.js';
import { changeByLine, newPartitionTable, readScript } from '../../src/partition/index.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs, toolEnvironment } from '../support/tools.js';

const directory = scratchDirectory();
const size = 67_409_920; // no whole MiB
/** Else sfdisk waits a quarter of a second for a kernel that reads the table again. */
const noWaiting = '--no-tell-kernel';

function bySfdisk(lines: readonly string[]): unknown[] {
  const path = join(directory, 'disk');
  writeFileSync(path, '');
  truncateSync(path, size);
  const options = { env: toolEnvironment, input: `${lines.join('\n')}\n` };
  execFileSync('sfdisk', ['-q', noWaiting, path], { ...options, stdio: ['pipe', 'ignore', 'ignore'] });
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

/** Two partitions with room before, between and behind them; only the second can be booted. */
const two = ['2048,20480', '40960,20481,82,*'];

/** All partitions behind a change of one by a line, by number; undefined where sfdisk refuses it. */
function changedBySfdisk(number: number, text: string): Map<number, unknown> | undefined {
  const path = join(directory, 'changed');
  writeFileSync(path, '');
  truncateSync(path, size);
  const give = (options: readonly string[], input: string) =>
    spawnSync('sfdisk', ['-q', noWaiting, ...options, path], {
      env: toolEnvironment,
      input,
      encoding: 'utf8',
    });
  give([], `${two.join('\n')}\n`);
  if (give(['-N', String(number)], `${text}\n`).status !== 0) return undefined;
  const told = execFileSync('sfdisk', ['-d', path], { env: toolEnvironment, encoding: 'utf8' });
  return new Map(
    [...told.matchAll(/(\d+) : start=\s*(\d+), size=\s*(\d+), type=(\w+)(, bootable)?/g)].map(
      ([, each, start, count, type, bootable]) => [
        Number(each),
        {
          first: Number(start),
          last: Number(start) + Number(count) - 1,
          mbrId: Number.parseInt(type ?? '', 16),
          bootable: bootable !== undefined,
        },
      ],
    ),
  );
}

test('a line for one partition changes what it says, or is refused as by sfdisk', needs('sfdisk'), () => {
  const sectors = Math.floor(size / 512);
  const changes: readonly (readonly [number, string])[] = [
    ...[',30,82', '50000,30', ',,83,-', ',+', ',,,*', '22528,+', '131000,72', '41000', '41000,+,7,-'].map(
      (text) => [2, text] as const,
    ),
    ...['100,200', '22527,+', '131587,73', ',90629', '2048'].map((text) => [2, text] as const),
    ...[',10M', ',+,L', ',,6', ',38912'].map((text) => [1, text] as const),
    ...['1,30000', ',50000', '1,100', '63,100', '100,+', ',20M', ',38913'].map((text) => [1, text] as const),
    ...[
      ',30',
      ',',
      '',
      '# nothing',
      '1,100',
      ',5M,L',
      '61441,1',
      '2047,1',
      '22528,+',
      '1,+',
      '30000',
      ',18433',
    ].map((text) => [3, text] as const),
    ...['63000,100', '63000', ',20M', ',,82', '20000000,1', '30000,11000', ',70000', ',100M'].map(
      (text) => [3, text] as const,
    ),
    [4, ',100'],
  ];
  for (const [number, text] of changes) {
    const disk = new MemoryDisk(new Uint8Array(size));
    const editor = newPartitionTable(disk, 512, 'msdos');
    assert.ok(editor.scheme === 'msdos');
    for (const [index, each] of readScript(two, sectors, 512).entries()) editor.put(index + 1, each);
    const expected = changedBySfdisk(number, text);
    const change = () => {
      const changed = changeByLine(text, number, editor.primaries, sectors, 512);
      if (changed !== undefined) editor.put(number, changed);
      return editor.primaries;
    };
    const what = `${number}: ${text}`;
    if (expected === undefined) assert.throws(change, { name: 'GuestfsError' }, what);
    else assert.deepEqual(change(), expected, what);
  }
});

test('what sfdisk may know otherwise of one partition is refused by name', () => {
  const found = new Map(readScript(two, 131_072, 512).map((each, index) => [index + 1, each]));
  for (const [number, text] of [
    [1, 'nonsense'],
    [1, ',0'],
    [1, ',,0'],
    [1, ',,5'],
    [1, ',,,*'],
    [3, ',,,*'],
    [3, '61000'],
    [3, '63000,1M'],
    [2, ',+100'],
    [2, ',-5'],
    [5, ',100'],
  ] as const)
    assert.throws(
      () => changeByLine(text, number, found, 131_072, 512),
      UnsupportedError,
      `${number}: ${text}`,
    );
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
    '5000,1M',
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
