/** Which foreign tools are installed, so that a test that needs one can say so when it is skipped. */
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
