/** Errors planted into what writes to disks, one by one: for each there is a hunt that must come upon it. */
import { importPlanted, type PlantedText } from '../support/planting.js';

/** A file of hunts/, and what it is told. */
export type Hunt = readonly [name: string, ...parameters: string[]];

export interface Mutant extends PlantedText {
  /** What is wrong with the planted source. */
  readonly error: string;
  /** Who is to find it: one after the other, until one has. */
  readonly hunts: readonly Hunt[];
}

/** What a file of hunts/ exports. */
export interface Hunting {
  /** What was found first; undefined where nothing is wrong. */
  hunt(...parameters: string[]): string | undefined;
}

/** What a hunt finds in the sources with these plants, or as they are. */
export async function findBy(
  [name, ...parameters]: Hunt,
  ...plants: readonly PlantedText[]
): Promise<string | undefined> {
  const { hunt } = await importPlanted<Hunting>(`test/mutants/hunts/${name}.ts`, ...plants);
  try {
    return hunt(...parameters);
  } catch (thrown) {
    // The work itself may come upon it.
    return String(thrown);
  }
}

/** What is found of a mutant; undefined if nothing is. */
export async function findMutant(mutant: Mutant): Promise<string | undefined> {
  for (const hunt of mutant.hunts) {
    const found = await findBy(hunt, mutant);
    if (found !== undefined) return `${hunt[0]}: ${found}`;
  }
  return undefined;
}
