/** The package as people get it: the bundles of dist/, which the script that runs the tests has built. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import type * as guestfs from '../../src/guestfs/index.js';
import { Project } from './project.js';

const library = (): Promise<typeof guestfs> =>
  import(new URL('../../../dist/index.js', import.meta.url).href) as Promise<typeof guestfs>;

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
  const project = new Project().install();

  test('the command runs, and opens what needs the package that it depends on', () => {
    const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: { guestfs: string } };
    const command = join('node_modules/guestfs', bin.guestfs);
    const run = project.node(command, 'cat', 'debian.qcow2:/etc/hostname');
    assert.deepEqual(run, { stdout: 'dolphin\n', stderr: '', status: 0 });
  });
});
