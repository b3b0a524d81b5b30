/** A process that writes through a handle, for failures.test.ts: it is killed, or its host fails. No test by itself. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { Guestfs } from '../../../src/guestfs/index.js';
import type { HostError } from '../../support/recording-disk.js';
import type { FailingWrites } from './failing-writes.js';

/** What became of one handle whose host failed. */
export interface Failed {
  readonly at: number;
  readonly code: HostError;
  /** The call that was told of it; undefined if all went well. */
  readonly call?: string;
  readonly told?: string | undefined;
  /** What a further change, a sync and reading came to. */
  readonly after?: readonly (string | undefined)[];
}

type Format = 'raw' | 'qcow2';

export const synced = 'this was synced\n'.repeat(3000);

const codeOf = (thrown: unknown): string => (thrown as { code?: string }).code ?? String(thrown);

async function open(path: string, format: Format): Promise<Guestfs> {
  const g = new Guestfs({ backend: 'embedded', environment: false, stderr: null });
  g.addDrive(path, { format });
  await g.launch();
  await g.mount('/dev/sda', '/');
  return g;
}

async function failing(
  format: Format,
  original: string,
  path: string,
  cases: readonly string[],
): Promise<void> {
  const control = process.env.FAILING_WRITES ?? '';
  for (const [id, each] of cases.entries()) {
    const [atText, code] = each.split(':') as [string, HostError];
    const at = Number(atText);
    copyFileSync(original, path);
    const wanted: FailingWrites = { id, path, at, code };
    const g = await open(path, format);
    const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['write', () => g.write('/synced', synced)],
      ['sync', () => g.sync()],
      ['mkdir', () => g.mkdir('/directory')],
      ['write', () => g.write('/directory/large', Buffer.alloc(900_000, 7))],
      ['sync', () => g.sync()],
      ['rename', () => g.rename('/synced', '/directory/renamed')],
      ['rm', () => g.rm('/old')],
      ['fallocate64', () => g.fallocate64('/reserved', 300_000)],
      ['truncateSize', () => g.truncateSize('/directory/large', 1000)],
      ['umountAll', () => g.umountAll()],
    ];
    writeFileSync(control, JSON.stringify(wanted));
    let failed: Failed = { at, code };
    for (const [call, work] of calls)
      try {
        await work();
      } catch (thrown) {
        const after: (string | undefined)[] = [];
        const attempts = [() => g.mkdir('/another'), () => g.sync(), () => g.ls('/')];
        for (const attempt of attempts)
          await attempt().then(
            () => after.push(undefined),
            (error: unknown) => after.push(codeOf(error)),
          );
        failed = { at, code, call, told: codeOf(thrown), after };
        break;
      }
    // What is not written any more cannot be unmounted cleanly either.
    const closing = await g.close().then(() => undefined, codeOf);
    writeFileSync(control, JSON.stringify({ ...wanted, id: -1 }));
    copyFileSync(path, `${path}.${id}`);
    process.stdout.write(`${JSON.stringify({ ...failed, closing })}\n`);
  }
}

/** Writes until the host lets the image become no larger. */
async function filling(format: Format, path: string): Promise<void> {
  const g = await open(path, format);
  await g.write('/synced', synced);
  await g.sync();
  let told: string | undefined;
  for (let file = 0; told === undefined; file++)
    try {
      await g.write(`/fill ${file}`, Buffer.alloc(300_000, file));
      await g.sync();
    } catch (thrown) {
      told = codeOf(thrown);
    }
  const listed = await g.ls('/').then((names) => names.length, codeOf);
  const again = await g
    .mkdir('/another')
    .then(() => g.sync())
    .then(() => undefined, codeOf);
  await g.close().catch(() => {});
  process.stdout.write(`${JSON.stringify({ told, listed, again })}\n`);
}

/** Goes on until it is killed, and tells what is synced. */
async function going(format: Format, path: string): Promise<void> {
  const g = await open(path, format);
  for (let turn = 1; ; turn++) {
    await g.mkdirP(`/turn ${turn}/below`);
    for (let file = 0; file < 20; file++)
      await g.write(`/turn ${turn}/file ${file}`, `${turn} `.repeat(1 + file * 700));
    if (turn > 2) await g.rmRf(`/turn ${turn - 2}`);
    await g.sync();
    process.stdout.write(`${turn}\n`);
  }
}

const [work, format, ...words] = process.argv.slice(2) as [string, Format, ...string[]];
const [first = '', second = '', ...cases] = words;
if (work === 'failing') await failing(format, first, second, cases);
else if (work === 'filling') await filling(format, first);
else if (work === 'going') await going(format, first);
