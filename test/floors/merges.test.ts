/** What compilers and linters do not look at: the texts and scripts around the sources. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { needs, toolEnvironment } from '../support/tools.js';

const ownText = /\.(?:ts|mjs|cjs|sh|py|md|json|c)$|^\.ci\/run$/;
/** The lines that git writes around the two sides of a conflict, spelled so that this file has none. */
const marker = new RegExp(`^(?:${'<'.repeat(7)} |${'='.repeat(7)}$|${'>'.repeat(7)} )`, 'm');

const files = (): string[] =>
  execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8', env: toolEnvironment })
    .split('\0')
    .filter((path) => ownText.test(path));

test('no file has the markers of a merge that was not finished', needs('git'), () => {
  assert.ok(files().length > 500);
  assert.deepEqual(
    files().filter((path) => marker.test(readFileSync(path, 'utf8'))),
    [],
  );
});

test('every shell script can be parsed', needs('git', 'bash'), () => {
  const scripts = files().filter((path) => path.endsWith('.sh') || path === '.ci/run');
  assert.ok(scripts.length > 10);
  const wrong = scripts.map((path) => spawnSync('bash', ['-n', path], { encoding: 'utf8' }).stderr);
  assert.deepEqual(
    wrong.filter((stderr) => stderr !== ''),
    [],
  );
});
