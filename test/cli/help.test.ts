/** The help: complete, at most 80 columns wide, and true to what the commands take. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { commandHelps } from '../../src/cli/command/command-helps.js';
import { commandNames } from '../../src/cli/command/command-names.js';
import { commands } from '../../src/cli/command/commands.js';
import { exitStatus } from '../../src/cli/command/failure.js';
import { optionGroups } from '../../src/cli/command/help-shape.js';
import { commandHelp, overview } from '../../src/cli/command/help-texts.js';
import { commonOptions } from '../../src/cli/command/options.js';
import { guestfs } from './command.js';

const longest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

test('the overview is short, and names every command and every exit status', () => {
  const text = overview();
  assert.ok(longest(text) <= 80);
  assert.ok(text.split('\n').length <= 60);
  for (const name of commandNames) assert.match(text, new RegExp(`^  ${name} +\\w`, 'm'));
  for (const status of Object.values(exitStatus)) assert.match(text, new RegExp(`\\b${status}\\b`));
});

for (const name of commandNames) {
  test(`${name} --help has examples, and fits the screen`, () => {
    const text = commandHelp(name);
    assert.ok(longest(text) <= 80, text);
    assert.match(text, /^Usage: guestfs /);
    assert.match(text, /\nExamples\n {2}guestfs /);
  });

  test(`the help of ${name} has every option that it takes, with its short form, and no other`, async () => {
    const { options } = await commands[name]();
    const { options: own, groups } = commandHelps[name];
    const described = [
      ...own,
      ...[...groups, 'common' as const].flatMap((group) => [...optionGroups[group].options]),
    ];
    const forms = described.map(({ form }) => {
      const [, short, long] = /^(?:-(\w), )?--([a-z0-9-]+)/.exec(form) ?? assert.fail(form);
      return `${short ?? ''} ${long}`;
    });
    const taken = Object.entries({ ...commonOptions, ...options }).map(
      ([long, kind]) => `${'short' in kind && kind.short !== undefined ? kind.short : ''} ${long}`,
    );
    assert.deepEqual(forms.sort(), taken.sort());
    const shorts = Object.values({ ...commonOptions, ...options }).flatMap((kind) =>
      'short' in kind ? [kind.short] : [],
    );
    assert.equal(new Set(shorts).size, shorts.length, 'a short form means two things');
  });
}

test('help is printed for --help, -h and help, of commands and of actions', async () => {
  const [top, command, short, viaHelp, action, version] = await Promise.all([
    guestfs('--help'),
    guestfs('cp', '--nope', '--help'),
    guestfs('cp', '-h'),
    guestfs('help', 'cp'),
    guestfs('help', 'part_list'),
    guestfs('--version'),
  ]);
  assert.equal(top.out, overview());
  for (const { out, status, err } of [command, short, viaHelp]) {
    assert.equal(out, commandHelp('cp'));
    assert.equal(status, 0);
    assert.equal(err, '');
  }
  assert.match(action.out, /^part-list: list the partitions/);
  const { version: packaged } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  assert.equal(version.out, `guestfs ${packaged}\n`);
});
