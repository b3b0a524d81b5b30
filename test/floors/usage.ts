/** Who uses what a file exports. */
import { declarationOf, exportsOf, findSource, outside, roomOf, type Source, sources } from './sources.js';

export const isDoor = ({ path }: Source): boolean => path === `src/${roomOf(path)}/index.ts`;
const publicDoor = 'src/guestfs/index.ts';

/** For each file and name, the files that import it. */
function importers(from: readonly Source[]): ReadonlyMap<string, ReadonlySet<string>> {
  const users = new Map<string, Set<string>>();
  for (const { path, imports } of from) {
    for (const { from: file, names, isPackage, again } of imports) {
      const target = isPackage ? undefined : findSource(file);
      // `export *` hands names on and uses none of them.
      if (target === undefined || (again && names === undefined)) continue;
      for (const name of names ?? exportsOf(target).keys()) {
        const key = `${file} ${name}`;
        users.set(key, (users.get(key) ?? new Set()).add(path));
        const origin = target.exports.some((entry) => entry.name === name)
          ? undefined
          : declarationOf(file, name);
        if (origin === undefined) continue;
        const declared = `${origin.file} ${origin.name}`;
        users.set(declared, (users.get(declared) ?? new Set()).add(path));
      }
    }
  }
  return users;
}

export interface DeadExport {
  readonly file: string;
  readonly name: string;
  /** Tests and benchmarks use it. */
  readonly inTests: boolean;
}

/** Exports that no other file of src/ uses; those of a door, that no other room uses. */
export function findDeadExports(): readonly DeadExport[] {
  const inside = importers(sources);
  const beside = importers(outside);
  return sources
    .filter(({ path }) => path !== publicDoor)
    .flatMap((source) =>
      source.exports
        .filter(({ name, forTests, origin }) => {
          if (name === '*' && origin !== undefined) return false;
          const users = [...(inside.get(`${source.path} ${name}`) ?? [])];
          const used = isDoor(source)
            ? users.some((path) => roomOf(path) !== roomOf(source.path))
            : users.length > 0;
          return !used && !forTests;
        })
        .map(({ name }) => ({ file: source.path, name, inTests: beside.has(`${source.path} ${name}`) })),
    );
}
