/**
 * The facts about libguestfs's API, as JSON files that are not part of the project. They are looked for where the
 * environment variable GUESTFS_FACTS says, and else in `../shared` beside the project.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// This file runs as build/test/support/facts.js.
const projectRoot = fileURLToPath(new URL('../../..', import.meta.url));

/** The directory of the facts, whether it exists or not. */
export const factsDirectory = process.env.GUESTFS_FACTS ?? join(projectRoot, '..', 'shared');

/** Options for `test(name, needsFacts(), …)`: skipped with a named reason where a file of facts is missing. */
export function needsFacts(...files: string[]): { skip?: string } {
  const missing = files.filter((file) => !existsSync(join(factsDirectory, file)));
  return missing.length === 0 ? {} : { skip: `no facts (GUESTFS_FACTS): ${missing.join(', ')}` };
}

/** Reads a file of facts, `api/actions.json` for instance. */
export function readFacts<T>(file: string): T {
  return JSON.parse(readFileSync(join(factsDirectory, file), 'utf8')) as T;
}
