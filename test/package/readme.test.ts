/** Each block of code in the README, run as it stands by the packed package in a project of somebody else's. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { delimiter } from 'node:path';
import { after, describe, test } from 'node:test';
import { needsAppliance } from '../support/appliance.js';
import { Project, type Run } from './project.js';

interface Block {
  readonly language: string;
  readonly code: string;
}

const blocks: readonly Block[] = [
  ...readFileSync('README.md', 'utf8').matchAll(/^```(\w*)\n(.*?)^```$/gms),
].map(([, language = '', code = '']) => ({ language, code }));

describe('a block of the README', () => {
  const project = new Project().install();
  const { bin, scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    bin: Record<string, string>;
    scripts: Record<string, string>;
  };
  const untried = new Set(blocks);
  after(() => assert.deepEqual([...untried], [], 'each block has a test'));

  /** The one block with a text in it. */
  function take(text: string): string {
    const found = blocks.filter(({ code }) => code.includes(text));
    assert.equal(found.length, 1, text);
    for (const block of found) untried.delete(block);
    return found[0]?.code ?? '';
  }

  /** Runs a block as a module; where it imports nothing, what all import is in front. */
  function run(name: string, code: string): Run {
    const all = /^import /m.test(code) ? code : `import { Guestfs } from 'guestfs';\n${code}`;
    project.write(`${name}.mjs`, all);
    return project.node(`${name}.mjs`);
  }

  /** Runs lines of a shell, which finds the command as after `npm install --global`. */
  function shell(line: string): Run {
    const { stdout, stderr, status } = spawnSync('sh', ['-c', line], {
      cwd: project.directory,
      encoding: 'utf8',
      timeout: 60_000,
      env: {
        ...process.env,
        EDITOR: 'echo "# edited" >>',
        PATH: `${project.path('bin')}${delimiter}${process.env.PATH}`,
      },
    });
    return { stdout, stderr, status };
  }

  test('is JavaScript, or a shell', () => {
    assert.deepEqual(new Set(blocks.map(({ language }) => language)), new Set(['js', 'sh', 'console']));
  });

  test('of the command does what it shows', () => {
    const cli = project.path('node_modules/guestfs', bin.guestfs ?? '');
    mkdirSync(project.path('bin'));
    project.write('bin/guestfs', `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`);
    chmodSync(project.path('bin/guestfs'), 0o755);
    mkdirSync(project.path('site'));
    project.write('site/index.html', 'hello\n');
    const runs = take('$ guestfs inspect')
      .split(/^\$ /m)
      .slice(1)
      .map((text) => {
        const [line = '', ...shown] = text.split('\n');
        return { line, shown: shown.filter((each) => each !== '') };
      });
    assert.equal(runs.length, 7);
    for (const { line, shown } of runs) {
      const { stdout, stderr, status } = shell(line);
      assert.deepEqual([status, stderr], [0, ''], line);
      const isCut = shown.at(-1) === '…';
      const told = isCut ? shown.slice(0, -1) : shown;
      if (told.length > 0) assert.deepEqual(stdout.split('\n').slice(0, told.length), told, line);
    }
    assert.ok(existsSync(project.path('logs/dpkg.log')), 'the copy is there');
  });

  test('with a handle inspects, mounts, and writes an archive', () => {
    assert.deepEqual(run('handle', take('await g.inspectOs()')), {
      stdout: 'dolphin\n\n',
      stderr: '',
      status: 0,
    });
    const { stdout } = shell('tar -tf debian.tar');
    assert.match(stdout, /^\.\/etc\/os-release$/m);
  });

  test('with openImage and a pool does the steps in one', () => {
    const { stdout, stderr, status } = run('pool', take('await openImage('));
    assert.deepEqual([stderr, status], ['', 0]);
    const lines = stdout.split('\n');
    assert.match(lines[0] ?? '', /^12\.\d+ dolphin$/);
    assert.ok(lines.includes('os-release') && lines.includes('fstab'));
    assert.ok(stdout.endsWith(readFstab()));
  });

  const readFstab = (): string => `${shell('guestfs cat debian.qcow2:/etc/fstab').stdout}\n`;

  test('with limits makes a handle that has them', () => {
    assert.deepEqual(run('limits', take('limits: {')), { stdout: '', stderr: '', status: 0 });
  });

  test('for a clone names scripts that there are', () => {
    const lines = take('npm start ').split('\n').filter(Boolean);
    assert.deepEqual(
      lines.map((line) => /^npm (\w+) /.exec(line)?.[1]).filter((name) => scripts[name ?? ''] === undefined),
      [],
    );
  });

  test('for an installation names the file that npm packs', () => {
    const code = take('npm install --global');
    const names = new Set([...code.matchAll(/guestfs-[\w.]+\.tgz/g)].map(([name]) => name));
    assert.deepEqual(names, new Set([project.tarball.split('/').at(-1)]));
  });

  const direct = take("new Guestfs({ backend: 'direct' })");
  test('with the appliance makes a filesystem and unpacks into it', needsAppliance(), () => {
    // What is said of a KVM that does not work is no part of the example.
    process.env.LIBGUESTFS_BACKEND_SETTINGS = 'force_tcg';
    project.write('disk.img', '');
    truncateSync(project.path('disk.img'), 512 * 1024 * 1024);
    project.write('inside.txt', 'inside\n');
    assert.equal(shell('tar -cf rootfs.tar inside.txt').status, 0);
    assert.deepEqual(run('direct', direct), { stdout: '', stderr: '', status: 0 });
    const seen = shell('guestfs cat --backend direct -m /dev/sda1 disk.img /inside.txt');
    assert.equal(seen.stdout, 'inside\n', seen.stderr);
  });
});
