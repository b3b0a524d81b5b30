/** Runs scenarios on the embedded backend. */
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { camelCase } from '../../src/api/index.js';
import { GuestfsError } from '../../src/base/index.js';
import { Guestfs } from '../../src/guestfs/index.js';
import type { DriveFile } from './drives.js';
import type { Outcome } from './outcome.js';
import { out, outDirectory, type Scenario, type Step } from './scenario.js';

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

async function runStep(g: Guestfs, [action, ...given]: Step): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'guestfs-step-'));
  try {
    let result: (() => unknown) | undefined;
    const args = given.map((argument) => {
      if (argument === out) {
        const path = join(directory, 'out');
        result = () => readFileSync(path);
        return path;
      }
      if (argument !== outDirectory) return argument;
      result = () => listTree(directory);
      return directory;
    });
    const value = await (g as unknown as Methods)[camelCase(action)]?.(...args);
    return { value: result ? result() : value };
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError)) throw thrown;
    return { errno: thrown.errno, message: thrown.message };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The outcomes of every step of every scenario, one launch for all. */
export async function runEmbedded(
  files: readonly DriveFile[],
  scenarios: readonly Scenario[],
): Promise<Outcome[][]> {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  for (const { path, format, label } of files)
    g.addDrive(path, { readonly: true, format, ...(label === undefined ? {} : { label }) });
  await g.launch();
  const outcomes: Outcome[][] = [];
  for (const { mounted, steps } of scenarios) {
    await g.umountAll();
    if (mounted !== undefined) await g.mountRo(mounted, '/');
    const answers: Outcome[] = [];
    for (const step of steps) answers.push(await runStep(g, step));
    outcomes.push(answers);
  }
  return outcomes;
}
