/** Signatures are erased where wipefs(8) erases them: on util-linux's own samples, and on disks with partition tables. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { UnsupportedError } from '../../../src/base/index.js';
import { FileDisk } from '../../../src/disk/host/index.js';
import { findSignatures } from '../../../src/engine/actions/writing/signatures.js';
import { imageDirectory } from '../../golden/truth.js';
import { fixturesIn, readFixtureBuffer } from '../../support/fixtures.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { needsSamples, sampleNames } from '../session/samples.js';
import { scratchPath } from '../support.js';

/** Offsets and lengths, in no order. */
function byWipefs(path: string): string[] {
  const { stdout } = spawnSync('wipefs', ['-a', '-n', '-f', path], {
    env: toolEnvironment,
    encoding: 'latin1',
  });
  const found = stdout.matchAll(/: (\d+) bytes? (?:were|was) erased at offset 0x([0-9a-f]+) /g);
  return [...found].map(([, length, offset = '']) => `${Number.parseInt(offset, 16)}+${length}`).sort();
}

function byUs(path: string, sectorSize = 512): string[] {
  const disk = new FileDisk(path);
  try {
    const marks = findSignatures({ name: path, disk, whole: true, sectorSize }, true, tmpdir());
    return marks.map(({ offset, bytes, length = bytes.length }) => `${offset}+${length}`).sort();
  } finally {
    disk.close();
  }
}

/** Which of the uberblocks are left when they are too few is another matter in each of the two. */
const asManyAsThere = new Set(['zfs']);
const refused = new Set(['atari-primary', 'atari-xgm']);

describe('signatures as wipefs erases them', { ...needs('wipefs'), ...needsSamples }, () => {
  for (const name of sampleNames)
    test(name, () => {
      const path = join(imageDirectory, 'blkid', `${name}.img`);
      if (refused.has(name)) return assert.throws(() => byUs(path), UnsupportedError);
      const ours = byUs(path);
      const theirs = byWipefs(path);
      if (asManyAsThere.has(name)) assert.equal(ours.length, theirs.length);
      else assert.deepEqual(ours, theirs);
    });
});

describe('signatures of partition tables', needs('wipefs'), () => {
  for (const name of fixturesIn('partition', /\.img\.gz$/)) {
    const path = (): string => {
      const file = scratchPath('table.img');
      writeFileSync(file, readFixtureBuffer(name));
      return file;
    };
    test(`${name}: nothing that wipefs erases is left, and a damaged GPT goes as well`, () => {
      const file = path();
      const ours = byUs(file, name.includes('4k') ? 4096 : 512);
      const theirs = byWipefs(file);
      assert.deepEqual(
        theirs.filter((mark) => !ours.includes(mark)),
        [],
      );
      const more = ours.filter((mark) => !theirs.includes(mark));
      assert.deepEqual(more.length === 0 || name.includes('gpt'), true, String(more));
    });
  }
});
