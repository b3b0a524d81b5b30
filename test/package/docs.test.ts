/** The reference documentation has all that there is: each action with its arguments, each command with its options. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { type Action, actionNames, actions, camelCase, structs, topics } from '../../src/api/index.js';
import { commandHelps } from '../../src/cli/command/command-helps.js';
import { commandNames } from '../../src/cli/command/command-names.js';
import { exitStatus } from '../../src/cli/command/failure.js';
import { jsonOutputs, jsonShapes } from '../../src/cli/command/json-shapes.js';
import { scratchDirectory } from '../support/scratch.js';

const root = join(import.meta.dirname, '..', '..', '..');

describe('the reference documentation', () => {
  const directory = join(scratchDirectory(), 'docs');
  const page = (name: string): string => readFileSync(join(directory, name), 'utf8');

  before(() => {
    execFileSync(process.execPath, ['scripts/docs.mjs', '--out', directory], { cwd: root });
  });

  test('has a page for each topic, and a place for each action with all its arguments and options', () => {
    let told = 0;
    for (const [topic, { actions: table }] of Object.entries(topics)) {
      const text = page(`${topic}.md`);
      for (const [name, action] of Object.entries(table) as [string, Action][]) {
        const [, rest = ''] = text.split(`\n## ${camelCase(name)}\n`);
        const [place = ''] = rest.split('\n## ');
        const names = [
          ...action.args.map((argument) => camelCase(argument.name)),
          ...Object.keys(action.options ?? {}),
        ];
        for (const argument of names) assert.match(place, new RegExp(`^- \`${argument}\` \\(`, 'm'), name);
        assert.match(place, /^\*(?:Needs the appliance|Both backends)\./m, name);
        told++;
      }
    }
    assert.equal(told, actionNames.length);
    for (const name of Object.keys(structs))
      assert.match(
        page('structs.md').toLowerCase(),
        new RegExp(`^## ${camelCase(name).toLowerCase()}$`, 'm'),
      );
  });

  test('says who does an action, and each of its links leads somewhere', () => {
    assert.equal(actions.ntfsfix.by, 'appliance');
    assert.match(page('ntfs.md').split('\n## ntfsfix\n')[1] ?? '', /^[^#]*\*Needs the appliance\./);
    const anchors = (name: string): Set<string> =>
      new Set(
        [...page(name).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
          title.toLowerCase().replaceAll(' ', '-'),
        ),
      );
    const pages = readdirSync(directory).filter((name) => name.endsWith('.md'));
    for (const name of pages)
      for (const [, file = '', anchor] of page(name).matchAll(/\]\(([^)#]*)#?([^)]*)\)/g)) {
        const target = file === '' ? name : file;
        assert.ok(pages.includes(target), `${name}: ${target}`);
        if (anchor) assert.ok(anchors(target).has(anchor), `${name}: ${target}#${anchor}`);
      }
  });

  test('has the JSON of each command that prints it, with all fields', () => {
    const text = page('json.md');
    for (const name of Object.keys(jsonOutputs)) assert.ok(text.includes(`\`guestfs ${name} --json\``), name);
    for (const [name, fields] of Object.entries(jsonShapes)) {
      const [, place = ''] = `${text}\n## `.split(`\n## ${name}\n`);
      for (const field of Object.keys(fields))
        assert.ok(place.split('\n## ')[0]?.includes(`| \`${field.replace('?', '')}\``), `${name}.${field}`);
    }
  });

  test('has each command with its options and examples, in Markdown and as a manual page', () => {
    const manual = page('guestfs.1').replaceAll('\\-', '-').replaceAll('\\&', '');
    for (const text of [page('command.md'), manual]) {
      for (const name of commandNames) {
        const { options, examples } = commandHelps[name];
        for (const { form } of options) assert.ok(text.includes(form), `${name} ${form}`);
        for (const [line] of examples) assert.ok(text.includes(line), line);
      }
      for (const status of Object.values(exitStatus))
        assert.match(text, new RegExp(`(?:\\| |\\.B )${status}\\b`));
    }
  });
});
