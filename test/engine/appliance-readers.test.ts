/** Which of the appliance's actions are said to change nothing: each is one of them, and none that writes by its own words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ActionName, actionNames, actions } from '../../src/api/index.js';
import { applianceOnly } from '../../src/engine/session/appliance-only.js';
import { applianceReaders } from '../../src/engine/session/appliance-readers.js';
import { changesDisks, needsAppliance } from '../../src/engine/session/features.js';

test('what changes disks needs the appliance, and what only reads there is told from it', () => {
  for (const name of applianceReaders) assert.ok((applianceOnly as readonly string[]).includes(name), name);
  for (const name of actionNames) if (changesDisks(name)) assert.ok(needsAppliance(name), name);
  const expected: [ActionName, boolean][] = [
    ['touch', true],
    ['mkfs', true],
    ['upload', true],
    ['aug_save', true],
    ['hivex_commit', true],
    ['command', false],
    ['aug_get', false],
    ['xfs_info', false],
    ['luks_open', false],
    ['ls', false],
  ];
  for (const [name, changes] of expected) assert.equal(changesDisks(name), changes, name);
});

test('nothing that takes a file of the host in, or makes or removes something, is said to change nothing', () => {
  const writing =
    /^(make|create|remove|delete|write|set|change|resize|rename|format|copy|fill|wipe|unpack|upload) /;
  for (const name of applianceReaders as ReadonlySet<ActionName>) {
    const { args, short } = actions[name];
    if (['debug_upload', 'internal_exit', 'yara_load'].includes(name)) continue; // of the appliance, not of the image
    assert.ok(!args.some(({ type }) => type === 'fileIn' || type === 'bufferIn'), name);
    if (args.some(({ type }) => type === 'fileOut')) continue; // written on the host
    if (!/_(create_all|remove_all|set_data_threshold)$|^setcon$/.test(name))
      assert.doesNotMatch(short, writing, name);
  }
});
