/** The package as people get it: the bundles of dist/, which the script that runs the tests has built. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import type * as guestfs from '../src/guestfs/index.js';

const library = (): Promise<typeof guestfs> =>
  import(new URL('../../dist/index.js', import.meta.url).href) as Promise<typeof guestfs>;

test('the library opens the sample guest and reads from it', async () => {
  const { Guestfs } = await library();
  await using g = new Guestfs({ environment: false });
  g.addDrive('samples/debian.qcow2', { readonly: true });
  await g.launch();
  const [root] = await g.inspectOs();
  assert.equal(root, '/dev/sda2');
  await g.mountRo('/dev/sda2', '/');
  assert.match(await g.cat('/etc/os-release'), /^ID=debian$/m);
});

test('what Node prints of handles and errors has the names that people know', async () => {
  const { Guestfs, GuestfsError, CorruptError, UnsupportedError } = await library();
  assert.deepEqual(
    [Guestfs, GuestfsError, CorruptError, UnsupportedError].map(({ name }) => name),
    ['Guestfs', 'GuestfsError', 'CorruptError', 'UnsupportedError'],
  );
  const g = new Guestfs({ environment: false });
  g.addDrive('samples/debian.qcow2', { readonly: true });
  assert.equal(
    inspect(g, { breakLength: Number.POSITIVE_INFINITY }),
    "Guestfs { state: 'config', drives: [ 'samples/debian.qcow2 readonly protocol=file' ] }",
  );
  const failure = await g.cat('/x').catch((thrown: unknown) => thrown);
  assert.match(inspect(failure), /^GuestfsError: cat: call launch before using this function\n/);
  await g.close();
});

test('an error that nobody catches is told without screens full of code', () => {
  const program = `import { Guestfs } from './dist/index.js'; new Guestfs().addDrive('/nowhere/at/all')`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.match(stderr, /HostError: add_drive: \/nowhere\/at\/all: no such file or directory/);
  assert.ok(stderr.length < 8000, `${stderr.length} characters`);
});

test('the command of the package runs', () => {
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: { guestfs: string } };
  const out = execFileSync(process.execPath, [bin.guestfs, 'cat', 'samples/debian.qcow2:/etc/hostname']);
  assert.equal(out.toString(), 'dolphin\n');
  assert.match(readFileSync(bin.guestfs, 'utf8'), /^#!\/usr\/bin\/env node\n/);
});

describe('the packed package in an empty project', () => {
  let project = '';

  before(() => {
    project = mkdtempSync(join(tmpdir(), 'guestfs-project-'));
    const home = join(project, 'node_modules/guestfs');
    mkdirSync(home, { recursive: true });
    // What `prepack` would build is there already, and other tests are using it.
    const packed = execFileSync(
      'npm',
      ['pack', '--ignore-scripts', '--json', '--pack-destination', project],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    execFileSync('tar', ['-C', home, '--strip-components=1', '-xf', join(project, filename)]);
    symlinkSync(join(process.cwd(), 'node_modules/zstddec'), join(project, 'node_modules/zstddec'));
    writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
    copyFileSync('samples/debian.qcow2', join(project, 'debian.qcow2'));
  });
  after(() => rmSync(project, { recursive: true, force: true }));

  const run = (...args: string[]) =>
    spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8', timeout: 60_000 });

  test('the first example of the README runs as it stands', () => {
    const example = /```js\n(import .*?)```/s.exec(readFileSync('README.md', 'utf8'))?.[1];
    assert.ok(example !== undefined);
    writeFileSync(join(project, 'example.mjs'), example);
    const { stdout, stderr, status } = run('example.mjs');
    assert.deepEqual({ stdout, stderr, status }, { stdout: 'dolphin\n\n', stderr: '', status: 0 });
    const names = execFileSync('tar', ['-tf', join(project, 'debian.tar')], { encoding: 'utf8' });
    assert.match(names, /^\.\/etc\/os-release$/m);
  });

  test('the command runs, and opens what needs the package that it depends on', () => {
    const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: { guestfs: string } };
    const command = join('node_modules/guestfs', bin.guestfs);
    const { stdout, stderr, status } = run(command, 'cat', 'debian.qcow2:/etc/hostname');
    assert.deepEqual({ stdout, stderr, status }, { stdout: 'dolphin\n', stderr: '', status: 0 });
  });

  test('a program in TypeScript finds its declarations', () => {
    const program = `import { Guestfs } from 'guestfs';
      const g = new Guestfs();
      const names: string[] = await g.ls('/');
      const partitions = await g.partList('/dev/sda');
      void [names, partitions[0]?.partNum satisfies number | undefined];`;
    writeFileSync(join(project, 'program.ts'), program);
    const compilerOptions = {
      module: 'NodeNext',
      target: 'ES2022',
      strict: true,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(process.cwd(), 'node_modules/@types')],
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    const { stdout, status } = run(join(process.cwd(), 'node_modules/typescript/bin/tsc'), '-p', '.');
    assert.equal(status, 0, stdout);
  });
});
