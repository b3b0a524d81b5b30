import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../support/tools.js';
import { withExt4 } from './support.js';

test('txz_out gives the archive that tar_out gives, and xz unpacks it', needs('xz'), async () => {
  const folder = mkdtempSync(join(tmpdir(), 'guestfs-txz-'));
  try {
    const [plain, packed] = [join(folder, 'all.tar'), join(folder, 'all.tar.xz')];
    await withExt4(async (g) => {
      await g.tarOut('/many', plain);
      await g.txzOut('/many', packed);
    });
    execFileSync('xz', ['--test', packed]);
    const options = { maxBuffer: 2 ** 28 };
    assert.ok(execFileSync('xz', ['-dc', packed], options).equals(execFileSync('cat', [plain], options)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
