/** Runs scenarios through a handle. */
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { camelCase } from '../../src/api/index.js';
import { GuestfsError } from '../../src/base/index.js';
import type { Guestfs } from '../../src/guestfs/index.js';
import type { Outcome } from './outcome.js';
import type { DriveFile } from './reading/drives.js';
import { out, outDirectory, type Scenario, type Step, type Suite } from './scenario.js';

type Methods = Record<string, (...args: unknown[]) => unknown>;

/** What is in a host directory: the same as oracle.py tells. */
function listTree(directory: string): unknown[] {
  const found: unknown[] = [];
  const walk = (path: Buffer, shown: string): void => {
    for (const name of readdirSync(path, { encoding: 'buffer' })) {
      const full = Buffer.concat([path, Buffer.from('/'), name]);
      const stat = lstatSync(full);
      const relative = `${shown}${name.toString('latin1')}`;
      const sha256 = stat.isFile() ? createHash('sha256').update(readFileSync(full)).digest('hex') : '';
      const link = stat.isSymbolicLink() ? readlinkSync(full, { encoding: 'buffer' }).toString('latin1') : '';
      found.push([relative, stat.mode, stat.uid, stat.gid, Math.floor(stat.mtimeMs / 1000), sha256, link]);
      if (stat.isDirectory()) walk(full, `${relative}/`);
    }
  };
  walk(Buffer.from(directory), '');
  return found.sort();
}

/** What stands in the place of an argument; undefined for an argument that is what it is. */
function placeholder<K extends string>(argument: unknown, key: K): string | undefined {
  if (typeof argument !== 'object' || argument === null || !(key in argument)) return undefined;
  return (argument as Record<K, string>)[key];
}

/** The step's arguments on this host. `answer`: what is looked at afterwards instead of the result. */
function realize(given: readonly unknown[], directory: string, lasting: string) {
  let answer: (() => unknown) | undefined;
  const args = given.map((argument) => {
    if (argument === out) {
      const path = join(directory, 'out');
      answer = () => readFileSync(path);
      return path;
    }
    if (argument === outDirectory) {
      answer = () => listTree(directory);
      return directory;
    }
    const contents = placeholder(argument, 'hostFile');
    if (contents !== undefined) {
      const path = join(directory, 'in');
      writeFileSync(path, Buffer.from(contents, 'base64'));
      return path;
    }
    const name = placeholder(argument, 'kept');
    if (name !== undefined) return join(lasting, name);
    const base64 = placeholder(argument, 'bytes');
    return base64 === undefined ? argument : Buffer.from(base64, 'base64');
  });
  return { args, answer };
}

async function runStep(g: Guestfs, [action, ...given]: Step, lasting: string): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'guestfs-step-'));
  try {
    const { args, answer } = realize(given, directory, lasting);
    const value = await (g as unknown as Methods)[camelCase(action)]?.(...args);
    return { value: answer === undefined ? value : answer() };
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError)) throw thrown;
    return { errno: thrown.errno, message: thrown.message };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Called before each step, with its number, and after the last one. */
type BetweenSteps = (number: number) => Promise<void>;

async function runSteps(
  g: Guestfs,
  steps: readonly Step[],
  between: BetweenSteps = async () => {},
): Promise<Outcome[]> {
  const lasting = mkdtempSync(join(tmpdir(), 'guestfs-scenario-'));
  try {
    const outcomes: Outcome[] = [];
    for (const [number, step] of steps.entries()) {
      await between(number);
      const outcome = await runStep(g, step, lasting);
      // An error may be the right answer, but not this one.
      if (g.state === 'config') throw new Error(`the backend ended in ${JSON.stringify([step, outcome])}`);
      outcomes.push(outcome);
    }
    await between(steps.length);
    return outcomes;
  } finally {
    rmSync(lasting, { recursive: true });
  }
}

/** Adds the drives of a suite and launches. */
export async function launchOn(
  g: Guestfs,
  files: readonly DriveFile[],
  { writes }: Pick<Suite, 'writes'>,
): Promise<void> {
  for (const { path, ...options } of files) g.addDrive(path, { readonly: writes !== true, ...options });
  await g.launch();
}

/** The outcomes of the steps of one scenario, on a handle that is launched. */
export async function runScenario(
  g: Guestfs,
  { mounted, steps }: Scenario,
  { writes }: Pick<Suite, 'writes'>,
  between?: BetweenSteps,
): Promise<Outcome[]> {
  await g.umountAll();
  if (mounted !== undefined) await (writes === true ? g.mount(mounted, '/') : g.mountRo(mounted, '/'));
  return await runSteps(g, steps, between);
}

/**
 * The outcomes of every step of every scenario, one launch for all. What is left of volumes is removed between two, as
 * libguestfs did before each. The handle is closed at the end.
 */
export async function runScenarios(
  handle: Guestfs,
  files: readonly DriveFile[],
  suite: Suite,
): Promise<Outcome[][]> {
  await using g = handle;
  await launchOn(g, files, suite);
  const outcomes: Outcome[][] = [];
  let mayHaveVolumes = suite.writes === true;
  for (const scenario of suite.scenarios) {
    if (mayHaveVolumes) {
      await g.umountAll();
      await g.lvmRemoveAll();
    }
    outcomes.push(await runScenario(g, scenario, suite));
    mayHaveVolumes = suite.writes === true && scenario.steps.some(([action]) => /^(?:pv|vg|lv)/.test(action));
  }
  return outcomes;
}
