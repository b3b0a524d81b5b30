/**
 * Foreign tools: which are installed, so that a test that needs one can say so when it is skipped; and what the checkers
 * among them say of what was written.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

const known = new Map<string, boolean>();

function installed(tool: string): boolean {
  let answer = known.get(tool);
  if (answer === undefined) {
    answer = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', tool], { env: toolEnvironment }).status === 0;
    known.set(tool, answer);
  }
  return answer;
}

/** The environment for foreign tools: the system's own directories are searched even for a plain user. */
export const toolEnvironment = { ...process.env, LC_ALL: 'C', PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/** Options for `test(name, needs('debugfs'), …)`: skipped with a named reason where a tool is missing. */
export function needs(...tools: string[]): { skip?: string } {
  const missing = tools.filter((tool) => !installed(tool));
  return missing.length === 0 ? {} : { skip: `not installed: ${missing.join(', ')}` };
}

function say(tool: string, ...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(tool, words, { encoding: 'utf8', env: toolEnvironment });
  assert.equal(status, 0, `${tool} ${words.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** That e2fsck says no word but its five passes and the summary. */
export function checkExt(image: string): void {
  const stdout = say('e2fsck', '-fn', image);
  const lines = stdout.trim().split('\n');
  assert.equal(lines.filter((line) => line.startsWith('Pass ')).length, 5, stdout);
  assert.equal(lines.length, 6, stdout);
}

/** That fsck.fat says no word but its version and the summary. */
export function checkFat(image: string): void {
  const stdout = say('fsck.fat', '-n', image);
  assert.match(stdout, /^fsck\.fat [^\n]*\n[^\n]*: \d+ files, \d+\/\d+ clusters\n$/);
}

export function checkTable(disk: string): void {
  assert.match(say('sgdisk', '-v', disk), /No problems found/);
}

/** That qemu-img finds neither errors nor leaks. */
export function checkQcow2(image: string): void {
  assert.match(say('qemu-img', 'check', image), /^No errors were found on the image\.$/m);
}
