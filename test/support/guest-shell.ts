/** A shell inside a guest, for calls that run its programs: the host's, as the appliance's kernel is the host's too. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toolEnvironment } from './tools.js';

/** Copies the shell, with its libraries, into a directory that becomes a guest. Needs ldd. */
export function copyShell(root: string): void {
  const linked = execFileSync('ldd', ['/bin/sh'], { env: toolEnvironment, encoding: 'utf8' });
  const libraries = [...linked.matchAll(/\/\S+/g)].map(([path]) => path);
  for (const path of ['/bin/sh', ...libraries]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(realpathSync(path), join(root, path));
  }
}
