// What the other scripts share: running programs at the project's root, and installing what is missing.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(fileURLToPath(import.meta.url), '..', '..');

/** Runs a program at the project's root with our terminal; ends this process with its status when it fails. */
export function run(program, ...args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(`${program}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * Installs the packages, exactly as the lock file has them, unless they are there. Fails where it and package.json
 * differ.
 */
export function ensureInstalled() {
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) run('npm', 'ci');
}
