/**
 * The package, installed by npm, with bundlers that npm fetches: each builds a program that then runs. They take long,
 * since webpack shortens the worker too.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { Project, program, told, workerFile } from './project.js';

const wanted =
  process.env.GUESTFS_TEST_BUNDLERS === '1'
    ? {}
    : { skip: 'fetches bundlers from npm: set GUESTFS_TEST_BUNDLERS=1' };

const tools = [
  'vite@8.4.0',
  'webpack@5.113.0',
  'rollup@4.68.8',
  '@rollup/plugin-node-resolve@16.0.3',
  'typescript@5.9.3',
  '@types/node@22',
];

describe('the package, installed by npm', wanted, () => {
  const project = new Project();
  const image = project.path('debian.qcow2');

  const command = (name: string, ...args: string[]) =>
    spawnSync(project.path('node_modules/.bin', name), args, {
      cwd: project.directory,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    });
  const runsIn = (folder: string, file: string) =>
    assert.deepEqual(project.nodeIn(folder, file, image), told, folder);
  const webpack = (folder: string, options: object, entry: string) => {
    const config = { mode: 'production', target: 'node20', entry, ...options };
    project.write(
      'webpack-run.cjs',
      `require('webpack')(${JSON.stringify(config)}, (error, stats) => {
         if (error) throw error;
         process.stdout.write(stats.toString({ all: false, errors: true, warnings: true }));
       });`,
    );
    assert.deepEqual(project.node('webpack-run.cjs'), { stdout: '', stderr: '', status: 0 }, folder);
  };
  const vite = (folder: string, noExternal: boolean) => {
    project.write(
      'vite.config.mjs',
      `export default { logLevel: 'warn', ssr: ${noExternal ? '{ noExternal: true }' : '{}'}, build: { ssr: 'main.mjs',
         outDir: '${folder}', minify: true, rollupOptions: { output: { entryFileNames: 'bundle.mjs' } } } };`,
    );
    const { status, stderr } = command('vite', 'build', '--config', 'vite.config.mjs');
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  };

  before(() => {
    const install = ['install', '--silent', '--no-audit', '--no-fund', project.tarball, ...tools];
    const { status, stderr } = spawnSync('npm', install, { cwd: project.directory, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    project.write('main.mjs', program.esModule);
    project.write('main.cjs', program.commonJs);
  });

  for (const main of ['main.mjs', 'main.cjs'])
    test(`${main} runs as it is`, () => runsIn(project.directory, main));

  for (const entry of ['main.mjs', 'main.cjs'])
    test(`webpack bundles ${entry} with the worker, so that it runs elsewhere`, () => {
      const folder = `webpack-${entry.slice(-3)}`;
      const output = { path: project.path(folder), filename: 'bundle.cjs' };
      webpack(folder, { mode: entry === 'main.mjs' ? 'production' : 'none', output }, `./${entry}`);
      assert.equal(
        readdirSync(project.path(folder)).filter((name) => /^[0-9a-f]{10,}\.cjs$/.test(name)).length,
        1,
      );
      runsIn(project.directory, join(folder, 'bundle.cjs'));
      runsIn(project.moved(folder), 'bundle.cjs');
    });

  test('webpack bundles it into an ES module', () => {
    const output = { path: project.path('webpack-esm'), filename: 'bundle.mjs', library: { type: 'module' } };
    webpack('webpack-esm', { mode: 'none', output, experiments: { outputModule: true } }, './main.mjs');
    runsIn(project.moved('webpack-esm'), 'bundle.mjs');
  });

  test('Vite leaves it to Node in a server, or bundles it', () => {
    vite('vite-external', false);
    runsIn(project.directory, 'vite-external/bundle.mjs');
    vite('vite-all', true);
    runsIn(project.directory, 'vite-all/bundle.mjs');
    runsIn(project.moved('vite-all', workerFile), 'bundle.mjs');
  });

  test('Rollup bundles it into both kinds of modules', () => {
    const output = (format: string, dir: string, name: string) =>
      `{ format: '${format}', file: '${dir}/${name}', inlineDynamicImports: true }`;
    project.write(
      'rollup.config.mjs',
      `import resolve from '@rollup/plugin-node-resolve';
       export default { input: 'main.mjs', plugins: [resolve({ preferBuiltins: true })],
         output: [${output('es', 'rollup-es', 'bundle.mjs')}, ${output('cjs', 'rollup-cjs', 'bundle.cjs')}] };`,
    );
    const { status, stderr } = command('rollup', '-c', 'rollup.config.mjs', '--silent');
    assert.equal(status, 0, stderr);
    for (const [folder, file] of [
      ['rollup-es', 'bundle.mjs'],
      ['rollup-cjs', 'bundle.cjs'],
    ] as const) {
      runsIn(project.directory, join(folder, file));
      runsIn(project.moved(folder, workerFile), file);
    }
  });

  test('an earlier TypeScript and later types of Node agree with its declarations', () => {
    project.write(
      'program.cts',
      `import { Guestfs, GuestfsError } from 'guestfs';
       const g = new Guestfs();
       void g.cat('/x').then((text: string) => text, (error: GuestfsError) => error.path);`,
    );
    const options = ['--strict', '--noEmit', '--module', 'node16', '--target', 'es2022', '--types', 'node'];
    const { status, stdout } = command('tsc', ...options, 'program.cts');
    assert.equal(status, 0, stdout);
  });
});
