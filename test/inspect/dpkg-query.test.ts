/** The status file of the machine that runs the tests, as dpkg itself reads it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { listApplications } from '../../src/inspect/index.js';
import { MountTable } from '../../src/vfs/index.js';
import { MemoryFileSystem } from '../support/memory-fs.js';
import { needs, toolEnvironment } from '../support/tools.js';

test('the packages of a real status file are those that dpkg-query lists', needs('dpkg-query'), () => {
  const format = ['db:Status-Status', 'Package', 'Version', 'Architecture', 'Homepage', 'source:Package'];
  const told = execFileSync(
    'dpkg-query',
    ['--show', `--showformat=${format.map((field) => `\${${field}}`).join('\\t')}\\n`],
    {
      env: toolEnvironment,
      maxBuffer: 64 * 1024 * 1024,
    },
  )
    .toString()
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([status]) => status === 'installed')
    .map((fields) => fields.slice(1).join(' '))
    .sort();
  const table = new MountTable();
  const status = readFileSync('/var/lib/dpkg/status');
  table.mount(new MemoryFileSystem({ 'var/lib/dpkg/status': status }), { source: 'x', mountpoint: '/' });
  const guest = { type: 'linux', distro: 'debian', packageFormat: 'deb' } as const;
  const ours = listApplications(table.tree, guest, assert.fail)
    .map((application) => {
      const { name, epoch, version, release, arch, url, sourcePackage } = application;
      const full = `${epoch > 0 ? `${epoch}:` : ''}${version}${release === '' ? '' : `-${release}`}`;
      return [name, full, arch, url, sourcePackage || name].join(' ');
    })
    .sort();
  assert.ok(told.length > 10);
  assert.deepEqual(ours, told);
});
