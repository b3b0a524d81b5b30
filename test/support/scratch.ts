/** Directories for the files that a test makes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** A new directory, which is removed at the end of the test file. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'guestfs-test-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
