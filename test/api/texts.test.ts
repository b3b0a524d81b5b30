/** Every action is explained, and the explanations hold together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Action,
  actionNames,
  actions,
  camelCase,
  helpText,
  isActionName,
  shellName,
  textWithNames,
} from '../../src/api/index.js';

/** What is wrong with the texts of an action; empty if nothing is. */
function faults({ short, help }: Pick<Action, 'short' | 'help'>): string[] {
  const found: string[] = [];
  if (!/^[a-z]/.test(short)) found.push('the short text does not begin with a small letter');
  if (/[.:;]$/.test(short.trim())) found.push('the short text ends like a sentence');
  if (short.split(' ').length < 2) found.push('the short text is one word');
  if (short.length > 96) found.push('the short text is long');
  if (help.split(/\s+/).length < 5) found.push('the help is shorter than a sentence');
  for (const paragraph of help.split(/\n+/))
    if (!/[.!?]$/.test(paragraph.trim())) found.push(`no full stop: ${paragraph.slice(-30)}`);
  if (help !== help.trim() || / {2}/.test(help)) found.push('stray white space');
  if ((help.match(/`/g) ?? []).length % 2 !== 0) found.push('a backtick without its partner');
  return found;
}

test('every action has a short text and at least a sentence of help', () => {
  for (const name of actionNames) assert.deepEqual(faults(actions[name]), [], name);
});

test('a missing or stunted text is found', () => {
  const good = { short: 'list the disks', help: 'Gives the devices of all drives.' };
  assert.deepEqual(faults(good), []);
  assert.notDeepEqual(faults({ ...good, short: '' }), []);
  assert.notDeepEqual(faults({ ...good, short: 'List the disks.' }), []);
  assert.notDeepEqual(faults({ ...good, help: '' }), []);
  assert.notDeepEqual(faults({ ...good, help: 'Gives devices.' }), []);
  assert.notDeepEqual(faults({ ...good, help: 'Gives the devices of all drives' }), []);
});

test('no two actions have the same text', () => {
  for (const field of ['short', 'help'] as const) {
    const seen = new Map<string, string>();
    for (const name of actionNames) {
      const text = actions[name][field].toLowerCase();
      assert.equal(seen.get(text), undefined, `${name}: the same ${field} as another`);
      seen.set(text, name);
    }
  }
});

/** The texts of an action's arguments, required and optional, by their names. */
const argumentTexts = ({ args, options = {} }: Pick<Action, 'args' | 'options'>): [string, string][] => [
  ...args.map(({ name, text }): [string, string] => [name, text]),
  ...Object.entries(options).map(([name, { text }]): [string, string] => [name, text]),
];

/** What is wrong with the text of an argument; undefined if nothing is. */
function argumentFault(name: string, text: string): string | undefined {
  if (!/^(?:[a-z`0-9]|[A-Z]{2})/.test(text)) return 'does not begin with a small letter';
  if (/[.:;,]$/.test(text)) return 'ends like a sentence';
  if (text.split(' ').length < 2 || text.toLowerCase() === name) return 'is one word';
  if (text.length > 260) return 'is long';
  if (text !== text.trim() || / {2}|\n/.test(text)) return 'has stray white space';
  if ((text.match(/`/g) ?? []).length % 2 !== 0) return 'has a backtick without its partner';
  return undefined;
}

test('every argument of every action has a text, required or optional', () => {
  let count = 0;
  for (const name of actionNames)
    for (const [argument, text] of argumentTexts(actions[name])) {
      assert.equal(argumentFault(argument, text), undefined, `${name}: ${argument}: ${text}`);
      count++;
    }
  assert.ok(count > 1000, String(count));
});

test('a missing or stunted text of an argument is found', () => {
  assert.equal(argumentFault('path', 'path of the file'), undefined);
  for (const text of [
    '',
    'path',
    'Path',
    'Path of the file',
    'path of the file.',
    'path of  the file',
    'path of `it',
  ])
    assert.notEqual(argumentFault('path', text), undefined, text);
});

test('no help repeats its options as a list, since their texts stand beside their types', () => {
  for (const name of actionNames) assert.doesNotMatch(actions[name].help, /^- `/m, name);
});

test('the texts name only actions that exist', () => {
  // Names with an underscore that are something else.
  const others = new Set(
    'libvirt_auth force_tcg crypto_LUKS x86_64 LVM2_member flex_bg has_journal journal_dev large_file resize_inode sparse_super uninit_bg'.split(
      ' ',
    ),
  );
  for (const name of actionNames) {
    const texts = [actions[name].help, ...argumentTexts(actions[name]).map(([, text]) => text)].join('\n');
    for (const [, word = ''] of texts.matchAll(/`([a-zA-Z0-9]+(?:_[a-zA-Z0-9]+)+)`/g))
      assert.ok(isActionName(word) || others.has(word) || /^[A-Z0-9_]+$/.test(word), `${name}: ${word}`);
  }
});

test('the help of a deprecated action names what to use instead', () => {
  for (const name of actionNames) {
    const { deprecatedBy, help } = actions[name];
    if (typeof deprecatedBy !== 'string') continue;
    assert.ok(help.includes(`\`${deprecatedBy}\``), `${name} does not name ${deprecatedBy}`);
  }
});

test('names of actions in texts are put in the words of their reader', () => {
  const text = 'Use `part_list`, `mount`, `LIBGUESTFS_PATH` and `x86_64`.';
  assert.equal(
    textWithNames(text, (name) => camelCase(name)),
    'Use `partList`, `mount`, `LIBGUESTFS_PATH` and `x86_64`.',
  );
  assert.equal(textWithNames(text, shellName), 'Use `part-list`, `mount`, `LIBGUESTFS_PATH` and `x86_64`.');
});

test('the help of a command has its usage, its text and its notes, within the width', () => {
  for (const name of actionNames) {
    const help = helpText(name, 70);
    for (const [argument] of argumentTexts(actions[name]))
      assert.match(help, new RegExp(`^- ${argument}: .`, 'm'), name);
    const lines = help.split('\n');
    assert.equal(lines[0], `${shellName(name)}: ${actions[name].short}`);
    assert.ok(lines.at(-1)?.includes('Since libguestfs '), name);
    for (const line of lines.slice(1))
      assert.ok(line.length <= 70 || !line.trim().includes(' '), `${name}: ${line}`);
  }
  assert.equal(
    helpText('lvremove', 60),
    [
      'lvremove: remove a logical volume',
      '',
      '    lvremove device',
      '',
      'Also removes all volumes of a group if device is /dev/VG.',
      'The space is free again, and what was on it is lost.',
      '',
      '- device: the logical volume, or /dev/VG for all of a group.',
      '',
      'Needs the feature group lvm2.',
      'Since libguestfs 1.0.13.',
    ].join('\n'),
  );
});
