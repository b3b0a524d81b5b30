import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileDisk, findHostFile } from '../../src/disk/host/index.js';

const directory = mkdtempSync(join(tmpdir(), 'guestfs-identity-'));
after(() => rmSync(directory, { recursive: true }));

test('a file that was checked is opened, and one that took its name since is not', () => {
  const path = join(directory, 'image');
  const other = join(directory, 'other');
  writeFileSync(path, 'one');
  writeFileSync(other, 'other');
  const { identity } = findHostFile(path);
  new FileDisk(path, { identity }).close();
  renameSync(other, path);
  assert.throws(() => new FileDisk(path, { identity }), { code: 'ESTALE', message: /was replaced/ });
});
