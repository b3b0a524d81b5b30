/** The package in the projects of others: plain modules of both kinds, bundles of esbuild, all kinds of TypeScript. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { type Action, actionNames, actions, camelCase, needsAppliance } from '../../src/api/index.js';
import { Project, program, told, workerFile } from './project.js';

const root = process.cwd();
const project = new Project().install();
const image = project.path('debian.qcow2');
project.write('main.mjs', program.esModule);
project.write('main.cjs', program.commonJs);

for (const main of ['main.mjs', 'main.cjs'])
  test(`${main} runs as it is, without a word of Node about it`, () => {
    assert.deepEqual(project.node(main, image), told);
  });

test('both kinds of modules of one program have the same classes', () => {
  project.write(
    'both.mjs',
    `import { createRequire } from 'node:module'; import * as imported from 'guestfs';
     const required = createRequire(import.meta.url)('guestfs');
     console.log(required.Guestfs === imported.Guestfs, required.GuestfsError === imported.GuestfsError);`,
  );
  assert.deepEqual(project.node('both.mjs'), { stdout: 'true true\n', stderr: '', status: 0 });
});

const bundles: Record<string, BuildOptions> = {
  'an ES module': {
    format: 'esm',
    entryPoints: { main: project.path('main.mjs') },
    outExtension: { '.js': '.mjs' },
  },
  'one CommonJS file': {
    format: 'cjs',
    entryPoints: { main: project.path('main.mjs') },
    outExtension: { '.js': '.cjs' },
  },
  'one CommonJS file of CommonJS': {
    format: 'cjs',
    entryPoints: { main: project.path('main.cjs') },
    outExtension: { '.js': '.cjs' },
  },
};
for (const [index, [what, options]] of Object.entries(bundles).entries())
  describe(`bundled by esbuild into ${what}, a program`, () => {
    const folder = `bundle-${index}`;
    const file = options.format === 'esm' ? 'main.mjs' : 'main.cjs';
    const made = build({
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node20',
      logLevel: 'silent',
      outdir: project.path(folder),
      ...options,
    });

    test('is made without a warning', async () => {
      assert.deepEqual((await made).warnings, []);
    });

    test('finds the worker where the package is installed', async () => {
      await made;
      assert.deepEqual(project.node(join(folder, file), image), told);
    });

    test('finds the worker beside itself, where no package is', async () => {
      await made;
      const elsewhere = project.moved(folder, workerFile);
      assert.deepEqual(project.nodeIn(elsewhere, file, image), told);
    });

    test('takes the worker that it names, by a URL and by a path', async () => {
      await made;
      const elsewhere = project.moved(folder);
      const worker = project.path('node_modules/guestfs/dist', workerFile);
      for (const given of [pathToFileURL(worker).href, worker])
        assert.deepEqual(project.nodeIn(elsewhere, file, image, given), told);
    });

    test('says what is missing where there is no worker', async () => {
      await made;
      const elsewhere = project.moved(folder);
      const { stderr, status } = project.nodeIn(elsewhere, file, image);
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^launch: the engine's worker is not beside this program: copy .*guestfs-engine\.cjs/,
      );
      const nowhere = project.nodeIn(elsewhere, file, image, '/nowhere/engine.cjs');
      assert.equal(nowhere.stderr, 'launch: workerUrl: there is no file file:///nowhere/engine.cjs\n');
    });
  });

test('the declaration of each method says whether it needs the appliance, and what takes the place of an old one', () => {
  const file = project.path('node_modules/guestfs/dist/types/api/methods.d.ts');
  const declared = readFileSync(file, 'utf8');
  const comments = new Map(
    [...declared.matchAll(/ {2}\/\*\*\n((?: {3}\*.*\n)+?) {3}\*\/\n {2}(\w+)\(/g)].map(
      ([, text = '', name = '']) => [name, text],
    ),
  );
  for (const name of actionNames) {
    const text = comments.get(camelCase(name)) ?? assert.fail(`${name} is not declared`);
    assert.match(
      text,
      needsAppliance(name) ? /^ {3}\* Needs the appliance\./m : /^ {3}\* Both backends\./m,
      name,
    );
    assert.equal(/^ {3}\* @deprecated /m.test(text), Boolean((actions[name] as Action).deprecatedBy), name);
  }
});

describe('a program in strict TypeScript', () => {
  const typed = `
    const g = new Guestfs({ workerUrl: new URL('file:///engine.cjs') });
    async function main(): Promise<void> {
      const names: string[] = await g.ls('/');
      const partitions = await g.partList('/dev/sda');
      const number: number | undefined = partitions[0]?.partNum;
      const options: GuestfsOptions = { policy: 'trusted' };
      const problem = (error: GuestfsError): string | undefined => error.path;
      // @ts-expect-error: a name is no number
      const wrong: number = names;
      class Own extends GuestfsError {}
      void [number, options, problem, wrong, Own];
    }
    void main();`;
  const esModule = `import { Guestfs, GuestfsError, type GuestfsOptions } from 'guestfs';${typed}`;
  const commonJs = `import guestfs = require('guestfs');
    import Guestfs = guestfs.Guestfs;
    import GuestfsError = guestfs.GuestfsError;
    type GuestfsOptions = guestfs.GuestfsOptions;${typed}`;
  const files = { 'program.mts': esModule, 'program.cts': esModule, 'required.cts': commonJs };
  const kinds: readonly [module: string, resolution: string, files: Record<string, string>][] = [
    ['ESNext', 'bundler', { 'program.ts': esModule }],
    ['Node16', 'Node16', files],
    ['NodeNext', 'NodeNext', files],
  ];
  for (const [module, moduleResolution, texts] of kinds)
    test(`finds its declarations by the rules of ${moduleResolution}`, () => {
      const folder = `types-${moduleResolution}`;
      mkdirSync(project.path(folder));
      for (const [file, text] of Object.entries(texts)) project.write(join(folder, file), text);
      const compilerOptions = {
        module,
        moduleResolution,
        target: 'ES2022',
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: false,
        types: ['node'],
      };
      const config = { compilerOptions, files: Object.keys(texts) };
      project.write(join(folder, 'tsconfig.json'), JSON.stringify(config));
      const { stdout, status } = project.node(join(root, 'node_modules/typescript/bin/tsc'), '-p', folder);
      assert.equal(status, 0, stdout);
    });
});
