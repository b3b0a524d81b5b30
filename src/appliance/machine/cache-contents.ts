/** The contents of the cache directory: ours, and libguestfs's own, which shares it. */
import { type Dirent, lstatSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

/** The kept files, by their purpose. */
interface Kept {
  readonly what: string;
  readonly names: readonly string[];
  /** The space that they take on the host's disk, without holes. */
  readonly sizeInBytes: number;
}

const kinds: readonly (readonly [what: string, name: RegExp])[] = [
  ['appliance', /^appliance\.d$/],
  ['unfinished appliances', /^appliance\.d\..+$/],
  ['started appliances', /^start-[0-9a-f]{16}$/],
  ['unfinished starts', /^start-[0-9a-f]{16}\..+$/],
  ['verdicts on KVM', /^no-kvm-.+\.json$/],
  ["libguestfs's notes on qemu", /^qemu-.+\.(?:help|devices|qmp-schema|query-kvm|stat)$/],
  ['lock', /^lock$/],
];
const otherKind = 'other files';

/** Deeper than what is kept goes. */
const mostLevels = 8;

/**
 * The space that a file or a tree takes on disk, in bytes. Files that another process removes meanwhile count as 0.
 */
function spaceOf(path: string, levels = mostLevels): number {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  const own = stats.blocks * 512;
  if (!stats.isDirectory() || levels === 0) return own;
  return namesIn(path).reduce((sum, { name }) => sum + spaceOf(join(path, name), levels - 1), own);
}

function namesIn(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw thrown;
  }
}

/** All kept files of a directory, in the order of the kinds. Throws the host's error. */
export function listKept(directory: string): Kept[] {
  const found = new Map<string, { names: string[]; sizeInBytes: number }>();
  for (const { name } of namesIn(directory).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const what = kinds.find(([, form]) => form.test(name))?.[0] ?? otherKind;
    const kept = found.get(what) ?? { names: [], sizeInBytes: 0 };
    kept.names.push(name);
    kept.sizeInBytes += spaceOf(join(directory, name));
    found.set(what, kept);
  }
  return [...kinds.map(([what]) => what), otherKind].flatMap((what) => {
    const kept = found.get(what);
    return kept === undefined ? [] : [{ what, ...kept }];
  });
}

/** The free space for this user on the disk of a directory, in bytes. Throws the host's error. */
export function freeSpace(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
