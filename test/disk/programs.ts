/** A PATH with few programs: for what tries several in turn. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { scratchDirectory } from '../support/scratch.js';

const directory = scratchDirectory();

/** A directory of which PATH is made, with these programs and no others. */
function pathWith(...programs: string[]): string {
  const place = join(directory, programs.join('-') || 'none');
  if (existsSync(place)) return place;
  mkdirSync(place);
  for (const program of programs) {
    // The program itself: what PATH has may be a script that starts another.
    const itself = program === 'perl' ? ['-e', 'print $^X'] : ['-c', 'import sys; print(sys.executable)'];
    const { stdout } = spawnSync(program, itself, { encoding: 'utf8' });
    symlinkSync(stdout.trim(), join(place, program));
  }
  return place;
}

export function withPath<T>(programs: readonly string[], work: () => T): T {
  const before = process.env.PATH;
  process.env.PATH = pathWith(...programs);
  try {
    return work();
  } finally {
    process.env.PATH = before ?? '';
  }
}
