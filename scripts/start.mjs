// `npm start`: installs and builds what is missing, then runs the command: with no arguments, on the sample guest.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const caller = process.env.INIT_CWD ?? process.cwd();
const root = resolve(join(fileURLToPath(import.meta.url), '..', '..'));
const command = join(root, 'dist', 'cli.js');

/** Runs a program at the project's root; ends this one with its status when it fails. */
function run(program, ...args) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: ['inherit', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

/** Whether a source is younger than the built command. */
function stale() {
  if (!existsSync(command)) return true;
  const built = statSync(command).mtimeMs;
  return readdirSync(join(root, 'src'), { recursive: true }).some(
    (name) => statSync(join(root, 'src', name)).mtimeMs > built,
  );
}

if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) run('npm', 'ci');
if (stale()) run(process.execPath, 'scripts/build.mjs', '--no-types');

const given = process.argv.slice(2);
const args = given.length > 0 ? given : ['inspect', join(root, 'samples', 'debian.qcow2')];
const { status, signal } = spawnSync(process.execPath, [command, ...args], { cwd: caller, stdio: 'inherit' });
process.exit(status ?? (signal === 'SIGINT' ? 130 : 1));
