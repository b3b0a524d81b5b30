/** What e2fsck says of an image. Its exit status 0 is not enough: it gives that with wrong totals too. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { toolEnvironment } from '../../support/tools.js';

const passes = [
  'Pass 1: Checking inodes, blocks, and sizes',
  'Pass 2: Checking directory structure',
  'Pass 3: Checking directory connectivity',
  'Pass 4: Checking reference counts',
  'Pass 5: Checking group summary information',
];

/** Fails unless e2fsck finds nothing at all. */
export function checkExt(path: string): void {
  const { status, stdout } = spawnSync('e2fsck', ['-fn', path], { env: toolEnvironment, encoding: 'utf8' });
  const lines = stdout.trimEnd().split('\n');
  assert.match(lines.pop() ?? '', /: \d+\/\d+ files \([\d.]+% non-contiguous\), \d+\/\d+ blocks$/, stdout);
  assert.deepEqual(lines, passes, stdout);
  assert.equal(status, 0);
}
