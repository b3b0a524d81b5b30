/** Partition tables changed on a disk that may lose power: at every cut the old table or the new one is read. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Disk } from '../../src/disk/index.js';
import {
  gpt,
  gptChanges,
  makeTable,
  mbr,
  mbrChanges,
  onGpt,
  onMbr,
  replaced,
  survives,
} from './crash-model.js';
import '../support/platform.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs, toolEnvironment } from '../support/tools.js';

const imagePath = join(scratchDirectory(), 'disk.img');

/** No crash loses a table, and each barrier that is left out is found: but those of `needless`. */
function survivesAlone(
  before: Uint8Array,
  work: (disk: Disk) => void,
  list?: (bytes: Uint8Array) => string,
  needless: readonly number[] = [],
): void {
  const { wrong, barriers } = survives(before, work, list);
  assert.deepEqual(wrong, []);
  const unfound = Array.from({ length: barriers }, (_, barrier) => barrier).filter(
    (barrier) => survives(before, work, undefined, [barrier]).wrong.length === 0,
  );
  assert.deepEqual(unfound, needless);
}

function told(bytes: Uint8Array, program: string, ...args: string[]): string {
  writeFileSync(imagePath, bytes);
  const { stdout } = spawnSync(program, [...args, imagePath], { env: toolEnvironment, encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter((line) => /^ +\d+ +\d+ +\d+ |start=/.test(line))
    .join('\n');
}
const bySgdisk = (bytes: Uint8Array): string => told(bytes, 'sgdisk', '-p');
const bySfdisk = (bytes: Uint8Array): string => told(bytes, 'sfdisk', '-d').replace(/, bootable/g, '');

describe('a crash while a GPT changes', () => {
  for (const [name, work] of Object.entries(gptChanges))
    test(name, needs('sgdisk'), () =>
      // Where entries stay, each header is one sector, and nothing is ever without both.
      survivesAlone(gpt, onGpt(work), bySgdisk, name.includes('GUID') ? [0] : []),
    );
});

describe('a crash while an MBR changes', () => {
  for (const [name, work] of Object.entries(mbrChanges))
    test(name, needs('sfdisk'), () => assert.deepEqual(survives(mbr, onMbr(work), bySfdisk).wrong, []));
});

test('without a barrier a link of an MBR may lead to nothing', () => {
  const add = onMbr((editor) => void editor.add({ kind: 'logical', first: 802, last: 900 }));
  assert.notDeepEqual(survives(mbr, add, undefined, [0]).wrong, []);
});

describe('a crash while a disk gets another table', () => {
  for (const [from, before] of replaced)
    for (const scheme of ['msdos', 'gpt'] as const)
      test(`${scheme} in the place of ${from}`, () =>
        assert.deepEqual(survives(before, makeTable(scheme)).wrong, []));
});
