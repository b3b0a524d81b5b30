/** Scenarios that write files, on a filesystem in memory, against what the real libguestfs answered on ext4. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ActionName } from '../../../src/api/index.js';
import { GuestfsError, typeOfMode } from '../../../src/base/index.js';
import { handledActions } from '../../../src/engine/thread/dispatch.js';
import type { Difference } from '../../scenarios/difference.js';
import { keptAnswers } from '../../scenarios/oracle.js';
import { type Outcome, problemOf } from '../../scenarios/outcome.js';
import { runScenario } from '../../scenarios/run.js';
import type { Scenario } from '../../scenarios/scenario.js';
import { scratchDifferences } from '../../scenarios/scratch.js';
import { suites } from '../../scenarios/suites.js';
import { attributeWritingScenarios } from '../../scenarios/writing/attributes.js';
import { fileWritingScenarios } from '../../scenarios/writing/files.js';
import { WritableFileSystem } from '../../support/writable-fs.js';
import { Ground } from './ground.js';

/** Actions of these scenarios that are no business of files. */
const otherwise = new Set<ActionName>([
  'wipefs',
  'zero',
  'blockdev_rereadpt',
  'mkfs',
  'mount',
  'umount',
  'lvm_remove_all',
]);

let ground: Ground;
let engineHas: ReadonlySet<string>;
before(async () => {
  ground = await Ground.make(...[64, 320, 64, 64, 16].map((mebibytes) => mebibytes * 2 ** 20));
  engineHas = new Set(await handledActions());
});
after(() => ground.close());

/** A new filesystem, as mke2fs leaves it. */
function renew(): void {
  ground.session.mounts.umountAll();
  const fileSystem = new WritableFileSystem({ capacityInBytes: 60 * 2 ** 20 });
  fileSystem.create(fileSystem.root, 'lost+found', { type: 'directory', permissions: 0o700, uid: 0, gid: 0 });
  ground.mount(fileSystem);
  ground.fileSystem = fileSystem;
}

/** What stat(1) of the appliance says of a file. */
function status(format: string, path: string): string {
  const { tree } = ground.session;
  const full = path.replace(/^\.?(\/sysroot)?/, '');
  const stat = tree.lstat(full);
  const time = ({ seconds, nanoseconds }: { seconds: number; nanoseconds: number }): string =>
    `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')}.${String(nanoseconds).padStart(9, '0')} +0000`;
  const link = typeOfMode(stat.mode) === 'symlink' ? ` -> '${tree.readlink(full)}'` : '';
  const parts: Readonly<Record<string, string>> = {
    n: path,
    f: stat.mode.toString(16),
    u: String(stat.uid),
    g: String(stat.gid),
    h: String(stat.linkCount),
    N: `'${path}'${link}`,
    x: time(stat.accessed),
    y: time(stat.modified),
  };
  return format.replace(/%(.)/g, (_, letter: string) => parts[letter] ?? '?');
}

/** What is done otherwise here. */
function elsewhere(action: ActionName, given: readonly unknown[]): { value: unknown } | undefined {
  if (action === 'mount') renew();
  if (otherwise.has(action)) return { value: undefined };
  if (action === 'debug') {
    const [, format = '', paths = ''] =
      /stat -c '([^']*)' (.*)/.exec(String((given[1] as string[])[0])) ?? [];
    return {
      value: paths
        .split(' ')
        .map((path) => status(format, path))
        .join('\n'),
    };
  }
  // So that the others of a scenario are compared all the same.
  if (!engineHas.has(action)) throw new GuestfsError('ENOTSUP', `${action}: not on this ground`);
  return undefined;
}

const suite = suites.find(({ name }) => name === 'scratch');
assert.ok(suite);
const kept = keptAnswers(suite);

/** What only ext has is no affair of a filesystem in memory. */
const ofExt = 'ext attributes and generations';
const all: readonly Scenario[] = [
  ...fileWritingScenarios,
  ...attributeWritingScenarios.filter(({ name }) => name !== ofExt),
];

const differences: readonly Difference[] = [
  ...scratchDifferences,
  {
    because: 'what is not there has no contents: libguestfs does not hear that its program failed',
    steps: [['zfile', 'gzip', '/missing']],
    ours: 'ENOENT',
  },
];

for (const scenario of all) {
  test(`${scenario.name}: as libguestfs`, async () => {
    const ours = await runScenario(ground.handle(elsewhere), scenario, { writes: true });
    const problems = ours.flatMap((answer, step) => {
      const [action] = scenario.steps[step] ?? [];
      const theirs = kept(scenario)[step] as Outcome;
      if (action === undefined || otherwise.has(action)) return [];
      const isHere = action === 'debug' || engineHas.has(action);
      return isHere ? (problemOf(differences, scenario, step, answer, theirs) ?? []) : [];
    });
    assert.deepEqual(problems, [], problems.join('\n'));
  });
}
