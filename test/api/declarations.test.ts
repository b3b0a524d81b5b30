/**
 * The declarations that the package gets: a program that uses it type-checks against them, and what is written from
 * the tables is what the sources compute.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { actionNames, actions, camelCase } from '../../src/api/index.js';

// This file runs as build/test/api/declarations.test.js.
const root = fileURLToPath(new URL('../../..', import.meta.url));
let folder = '';
let declarations = '';

function run(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  assert.equal(status, 0, `${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/** Type-checks a program beside the package, as a user's project would. */
function check(program: string): { ok: boolean; output: string } {
  writeFileSync(join(folder, 'program.ts'), program);
  const compilerOptions = {
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    target: 'ES2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
  return { ok: status === 0, output: stdout };
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'guestfs-declarations-'));
  const home = join(folder, 'node_modules/guestfs');
  mkdirSync(home, { recursive: true });
  const manifest = {
    name: 'guestfs',
    type: 'module',
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  };
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  // The API room stands for the package: its door has all that is written from the tables.
  run('scripts/declarations.mjs', '--entry', 'src/api/index.ts', '--out', join(home, 'dist'));
  declarations = join(home, 'dist/types/api');
});

after(() => rmSync(folder, { recursive: true, force: true }));

test('a program that uses the package type-checks', () => {
  const { ok, output } = check(`
    import type { ActionMethods, ActionResult, Device, Key, Progress, Structs } from 'guestfs';
    export async function use(g: ActionMethods, key: Key): Promise<void> {
      g.addDrive('disk.img', { readonly: true, format: 'qcow2' });
      const verbose: boolean = g.getVerbose();
      await g.launch({ onProgress: (progress: Progress) => void progress.position });
      for (const partition of await g.partList('/dev/sda')) {
        const size: number = partition.partSize;
        void size;
      }
      const [device] = await g.listDevices();
      if (device !== undefined) await g.cryptsetupOpen(device, key, 'name');
      const types: Map<string, string> = await g.listFilesystems();
      const fsid: bigint = (await g.statvfs('/')).fsid;
      const names: ActionResult<'ls'> = await g.ls('/', { signal: AbortSignal.timeout(5) });
      await g.download('/etc/fstab', process.stdout);
      void [verbose, types, fsid, names];
    }
    export function refused(g: ActionMethods, key: Key, device: Device): void {
      // @ts-expect-error: device and key are confused
      g.cryptsetupOpen(key, device, 'name');
      // @ts-expect-error: no such option
      g.addDrive('disk.img', { readOnly: true });
      // @ts-expect-error: no such method
      g.part_list(device);
      // @ts-expect-error: no such field
      type Field = Structs['partition']['part_num'];
    }
  `);
  assert.ok(ok, output);
});

test('every method is declared as the sources compute it', () => {
  const { ok, output } = check(`
    import type { ActionMethods as Declared } from 'guestfs';
    import type { ActionMethods as Computed } from '${join(root, 'src/api/index.ts')}';
    type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? SameKeys<NonNullable<A>, NonNullable<B>> : false) : false;
    type SameKeys<A, B> = [keyof A] extends [keyof B] ? ([keyof B] extends [keyof A] ? true : false) : false;
    type AllSame<A extends readonly unknown[], B extends readonly unknown[]> = A['length'] extends B['length']
      ? { [I in keyof A]: Same<A[I], I extends keyof B ? B[I] : never> }[number]
      : false;
    type Method = (...args: never[]) => unknown;
    type Differing = {
      [M in keyof Computed | keyof Declared]: M extends keyof Computed & keyof Declared
        ? Computed[M] extends Method
          ? Declared[M] extends Method
            ? [false] extends [AllSame<Required<Parameters<Computed[M]>>, Required<Parameters<Declared[M]>>>]
              ? M
              : Same<ReturnType<Computed[M]>, ReturnType<Declared[M]>> extends true
                ? Same<Parameters<Computed[M]>['length'], Parameters<Declared[M]>['length']> extends true ? never : M
                : M
            : M
          : M
        : M;
    }[keyof Computed | keyof Declared];
    // Whatever differs is missing here, and named by the compiler.
    const none: { [M in Differing]: true } = {};
    void none;
  `);
  assert.ok(ok, output);
});

test('the declared methods have the names of their parameters, and their texts', () => {
  const text = readFileSync(join(declarations, 'methods.d.ts'), 'utf8');
  assert.match(
    text,
    /\n {2}mount\(mountable: Mountable, mountpoint: string, controls\?: CallControls\): Promise<void>;\n/,
  );
  assert.match(text, /\n {2}getVerbose\(\): boolean;\n/);
  assert.match(
    text,
    /\n {2}umount\(pathordevice: DeviceOrPathname, options\?: UmountOptions & CallControls\): /,
  );
  assert.match(
    text,
    /\n {2}umountOpts\(pathordevice: DeviceOrPathname, options\?: UmountOptions & CallControls\): /,
  );
  assert.match(text, /Another name of \{@link ActionMethods\.umount \| umount\}\. /);
  assert.match(text, /Since libguestfs 1\.0\.66\./);
  assert.match(text, /@deprecated Use \{@link ActionMethods\.lstatns \| lstatns\}\.\n {3}\*\/\n {2}lstat\(/);
  assert.match(text, /Use `copyDeviceToDevice` and its kin/);
  assert.match(text, /\n {3}\* @param mountpoint - Directory to mount at; `\/` for the first\.\n/);
  assert.match(
    text,
    /\n {2}\/\*\*\n {3}\* The label; see `setLabel` for how long it can be\.\n {3}\*\/\n {2}label\?: string \| undefined;\n/,
  );
});

test('every parameter and every optional argument is declared with its text', () => {
  const text = readFileSync(join(declarations, 'methods.d.ts'), 'utf8');
  for (const name of actionNames) {
    const { args, options = {} } = actions[name];
    const method = camelCase(name);
    const [, comment = ''] =
      new RegExp(`  /\\*\\*\\n((?: {3}\\*.*\\n)+)  ${method}\\(`).exec(text) ?? assert.fail(method);
    for (const argument of args)
      assert.match(comment, new RegExp(`@param ${argument.name}_? - .{5}`), method);
    const [, declared = ''] =
      new RegExp(`^export interface ${method}Options \\{\n([^]*?)^\\}`, 'mi').exec(text) ?? [];
    for (const option of Object.keys(options))
      assert.match(declared, new RegExp(` {3}\\* .{5,}\n {3}\\*/\n  ${option}\\?: `), method);
  }
});

test('only what the door leads to is in the package, and no text is in it twice', () => {
  assert.ok(existsSync(join(declarations, 'methods.d.ts')));
  assert.ok(!existsSync(join(declarations, 'partitions.d.ts')));
  const tables = readFileSync(join(declarations, 'actions.d.ts'), 'utf8');
  assert.ok(!tables.includes('Gives number, first byte'));
});
