// `npm start`: installs and builds what is missing, then runs the command: with no arguments, a short tour of the
// sample guest.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, root, run } from './run.mjs';

const caller = process.env.INIT_CWD ?? process.cwd();
const command = join(root, 'dist', 'cli.cjs');

/** Whether a source is younger than the built command. */
function stale() {
  if (!existsSync(command)) return true;
  const built = statSync(command).mtimeMs;
  return readdirSync(join(root, 'src'), { recursive: true }).some(
    (name) => statSync(join(root, 'src', name)).mtimeMs > built,
  );
}

ensureInstalled();
if (stale()) run(process.execPath, 'scripts/build.mjs', '--no-types');

/** Runs the command with the user's terminal; gives its status. */
function guestfs(args, cwd) {
  const { status, signal } = spawnSync(process.execPath, [command, ...args], { cwd, stdio: 'inherit' });
  return status ?? (signal === 'SIGINT' ? 130 : 1);
}

const given = process.argv.slice(2);
if (given.length > 0) process.exit(guestfs(given, caller));

/** What is shown of the sample guest when nothing is asked for. */
const sample = join('samples', 'debian.qcow2');
const copies = mkdtempSync(join(tmpdir(), 'guestfs-sample-'));
process.once('exit', () => rmSync(copies, { recursive: true, force: true }));
const tour = [
  ['inspect', sample],
  ['ls', '-l', `${sample}:/`],
  ['cat', `${sample}:/etc/os-release`],
  ['cp', '-r', `${sample}:/etc`, copies],
];
for (const args of tour) {
  console.log(`\n$ guestfs ${args.join(' ')}`);
  const status = guestfs(args, root);
  if (status !== 0) process.exit(status);
}
console.log(
  `\nNow with an image of yours:\n  npm start -- inspect /path/to/your.qcow2\n  npm start -- --help`,
);
