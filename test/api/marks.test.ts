/**
 * What the tables say of who does an action, and of what changes nothing: consistent, and true to the action's own
 * words.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ActionName, actionNames, actions, changesDisks, internal } from '../../src/api/index.js';
import { handledActions } from '../../src/engine/thread/dispatch.js';
import { tableAnswers } from '../../src/engine/thread/table-answers.js';

test('what changes disks is told from what only reads', () => {
  const expected: [ActionName, boolean][] = [
    ['touch', true],
    ['mkfs', true],
    ['upload', true],
    ['aug_save', true],
    ['hivex_commit', true],
    ['lvm_remove_all', true],
    ['command', false],
    ['aug_get', false],
    ['xfs_info', false],
    ['luks_open', false],
    ['ls', false],
    ['disk_create', false],
    ['add_drive', false],
  ];
  for (const [name, changes] of expected) assert.equal(changesDisks(name), changes, name);
});

test('nothing that takes a file of the host in, or makes or removes something, is said to change nothing', () => {
  const writing =
    /^(make|create|remove|delete|write|set|change|resize|rename|format|copy|fill|wipe|unpack|upload) /;
  /** Of the appliance, of the handle, of the host, or of what is in memory: not of a drive. */
  const elsewhere = new Set<ActionName>([
    'debug_upload',
    'internal_exit',
    'yara_load',
    'disk_create',
    'umask',
    'mkmountpoint',
    'rmmountpoint',
    'remount',
    'blockdev_setbsz',
    'blockdev_setro',
    'blockdev_setrw',
    'blockdev_setra',
    'vg_activate',
    'vg_activate_all',
    'mount_local',
  ]);
  for (const name of actionNames) {
    const { args, short, reads } = actions[name];
    if (reads !== true || elsewhere.has(name)) continue;
    assert.ok(!args.some(({ type }) => type === 'fileIn' || type === 'bufferIn'), name);
    if (args.some(({ type }) => type === 'fileOut') || name === 'copy_out') continue; // written on the host
    if (!/_(create_all|remove_all|set_data_threshold)$|^setcon$/.test(name))
      assert.doesNotMatch(short, writing, name);
  }
  for (const name of elsewhere) assert.equal(actions[name].reads, true, name);
});

test('an action that answers at once is done by the handle, and its table says neither who does it nor what it changes', () => {
  for (const name of actionNames) {
    const { nonBlocking, by, reads, proc } = actions[name];
    if (nonBlocking === true) assert.deepEqual({ by, reads }, { by: undefined, reads: undefined }, name);
    // What the handle does has no procedure; what only the appliance does has one, or its library makes it of several.
    if (nonBlocking === true || by === 'handle') assert.equal(proc, undefined, name);
  }
});

test('every asynchronous action has one who does it on the embedded engine, or is left to the appliance', async () => {
  const handled = new Set(await handledActions());
  for (const name of actionNames) {
    const { nonBlocking, by } = actions[name];
    if (nonBlocking !== true) assert.equal(handled.has(name), by === undefined, name);
  }
  const byTable = Object.entries({ ...actions, ...internal }).flatMap(([name, action]) =>
    'by' in action && action.by === 'table' ? [name] : [],
  );
  assert.deepEqual(Object.keys(tableAnswers).sort(), byTable.sort());
});
