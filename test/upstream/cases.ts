/** Upstream's own cases, their host files, and the four drives that they run on. */
import { join } from 'node:path';
import type { Guestfs } from '../../src/guestfs/index.js';
import { factsDirectory, needsFacts, readFacts } from '../support/facts.js';
import type { Case } from './runner.js';

const file = 'conformance/cases.json';

/** Options for a test that runs the cases. */
export const needsCases = needsFacts(file);

export function readCases(): readonly Case[] {
  const facts = readFacts<Case[] | { cases: Case[] }>(file);
  return Array.isArray(facts) ? facts : facts.cases;
}

/** The directory of the host files that the cases name. */
export const casesData = join(factsDirectory, 'conformance', 'data');

/** Adds the drives and launches. `scratch`: a drive that has the scratch filesystem; it stays as it is. */
export async function launchWithDrives(g: Guestfs, scratch?: string): Promise<Guestfs> {
  g.addDriveScratch(2 * 1024 ** 3);
  if (scratch === undefined) g.addDriveScratch(2 * 1024 ** 3);
  else g.addDrive(scratch, { readonly: true, format: 'raw' });
  g.addDriveScratch(10 * 1024 ** 2);
  g.addDrive(join(casesData, 'test.iso'), { readonly: true, format: 'raw' });
  await g.launch();
  return g;
}
