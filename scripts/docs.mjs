// Writes the reference documentation from the tables of the API and the help of the command: Markdown, a page for each
// topic, and a manual page.
//   node scripts/docs.mjs [--out docs]
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runSource } from './lib/run-source.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..');
const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'docs') } } });
const out = resolve(values.out);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const api = await runSource(
  "export * from './src/api/index.js'; export { textWithNames } from './src/api/words.js'",
);
const cli = await runSource(`
  export { commandHelps } from './src/cli/command/command-helps.js';
  export { commandNames } from './src/cli/command/command-names.js';
  export { exitStatus } from './src/cli/command/failure.js';
  export { jsonNotes, jsonOutputs, jsonShapes } from './src/cli/command/json-shapes.js';
  export { optionGroups } from './src/cli/command/help-shape.js';
`);
const { actions, camelCase, events, hasOptsName, needsAppliance, structs, topics } = api;

/** What each exit status of the command means. */
const statusTexts = {
  ok: 'done',
  failure: 'an action failed, for a reason that has no status of its own',
  usage: 'the command line makes no sense',
  cannotOpen: 'the image is not there, may not be read, or is refused by the policy',
  notFound: 'there is no such file or device inside the image',
  notSupported: 'valid, but not what can be done here',
  corrupt: 'the image or a filesystem in it breaks the rules of its format',
  interrupted: 'ended by Ctrl-C',
};

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
const told = (text) => api.textWithNames(text, camelCase);
const structName = (name) => name.charAt(0).toUpperCase() + camelCase(name).slice(1);
const titleOf = (topic) => topics[topic].title;
const pageOf = (name) => `${name}.md`;

function write(name, text) {
  const path = join(out, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${text.trimEnd()}\n`);
}

/** What a call gives, in words. */
function resultOf(result) {
  const struct = (name) => `[${structName(name)}](structs.md#${structName(name).toLowerCase()})`;
  switch (result.type) {
    case 'none':
      return 'nothing';
    case 'optString':
      return 'a string or null';
    case 'stringList':
      return 'a list of strings';
    case 'buffer':
      return 'bytes (`Uint8Array`)';
    case 'hashtable':
      return 'a `Map` of strings';
    case 'struct':
      return struct(result.struct);
    case 'structList':
      return `a list of ${struct(result.struct)}`;
    case 'bits64':
      return '64 bits (`bigint`)';
    default:
      return { bool: 'true or false', int: 'a number', int64: 'a number', string: 'a string' }[result.type];
  }
}

function actionText(name) {
  const action = actions[name];
  const method = camelCase(name);
  const options = Object.entries(action.options ?? {});
  const parameters = action.args.map((argument) => camelCase(argument.name));
  if (options.length > 0) parameters.push('options?');
  const notes = [needsAppliance(name) ? 'Needs the appliance.' : 'Both backends.'];
  if (action.nonBlocking) notes.push('Answers at once.');
  if (action.configOnly) notes.push('Only before launch.');
  if (action.group !== undefined) notes.push(`Needs the feature group \`${action.group}\`.`);
  if (action.progress) notes.push('Reports progress.');
  if (hasOptsName(name)) notes.push(`Also \`${method}Opts\`.`);
  if (typeof action.deprecatedBy === 'string')
    notes.push(`Deprecated: use \`${camelCase(action.deprecatedBy)}\`.`);
  else if (action.deprecatedBy) notes.push('Deprecated, and nothing takes its place.');
  if (action.since !== undefined) notes.push(`Since libguestfs ${action.since}.`);
  const lines = [
    `## ${method}`,
    '',
    `\`g.${method}(${parameters.join(', ')})\` gives ${resultOf(action.result)}.`,
    '',
    sentence(told(action.short)),
    '',
    told(action.help),
    '',
  ];
  for (const argument of action.args)
    lines.push(`- \`${camelCase(argument.name)}\` (${argument.type}): ${sentence(told(argument.text))}`);
  for (const [option, { type, text }] of options)
    lines.push(`- \`${option}\` (${type}, optional): ${sentence(told(text))}`);
  if (action.args.length + options.length > 0) lines.push('');
  return [...lines, `*${notes.join(' ')}*`, ''].join('\n');
}

function topicPage(topic) {
  const names = Object.keys(topics[topic].actions);
  const list = names.map(
    (name) => `- [${camelCase(name)}](#${camelCase(name).toLowerCase()}): ${told(actions[name].short)}`,
  );
  return [`# ${titleOf(topic)}`, '', ...list, '', ...names.map(actionText)].join('\n');
}

function structsPage() {
  const tables = Object.entries(structs).map(([name, fields]) =>
    [
      `## ${structName(name)}`,
      '',
      '| field | holds |',
      '|---|---|',
      ...Object.entries(fields).map(([field, type]) => `| \`${camelCase(field)}\` | ${type} |`),
      '',
    ].join('\n'),
  );
  return ['# Structs', '', ...tables].join('\n');
}

function eventsPage() {
  const rows = Object.entries(events).map(
    ([name, { cName, mask, payload }]) =>
      `| \`${name}\` | \`${cName}\` | 0x${mask.toString(16)} | ${payload} |`,
  );
  return ['# Events', '', '| name | of libguestfs | mask | comes with |', '|---|---|---|---|', ...rows].join(
    '\n',
  );
}

const optionsOf = ({ options, groups }) => [
  ...options.map((option) => ({ title: undefined, option })),
  ...[...groups, 'common'].flatMap((group) =>
    cli.optionGroups[group].options.map((option) => ({ title: cli.optionGroups[group].title, option })),
  ),
];

function commandPage() {
  const statuses = Object.entries(cli.exitStatus).map(
    ([name, status]) => `| ${status} | ${statusTexts[name]} |`,
  );
  const commands = cli.commandNames.map((name) => {
    const help = cli.commandHelps[name];
    return [
      `## guestfs ${name}`,
      '',
      sentence(help.summary),
      '',
      '```',
      ...help.usage.map((usage) => `guestfs ${usage}`),
      '```',
      '',
      ...help.text.flatMap((paragraph) => [paragraph, '']),
      ...optionsOf(help).map(({ option }) => `- \`${option.form}\`: ${option.text}`),
      '',
      ...help.examples.map(([line, text]) => `    ${line}    # ${text}`),
      '',
    ].join('\n');
  });
  return [
    '# The command',
    '',
    ...commands,
    '## Exit status',
    '',
    '| status | meaning |',
    '|---|---|',
    ...statuses,
  ].join('\n');
}

/** A type of JSON, with links to the shapes that it names. */
const jsonType = (type) =>
  type
    .replace(/[A-Z]\w*/, (name) => `[${name}](#${name.toLowerCase()})`)
    .replace(/(\S+)\[\]/, 'list of $1')
    .replace(/^\{(.*)\}$/, 'object of $1')
    .replace(' | ', ' or ');

/** What the commands print with `--json`. */
function jsonPage() {
  const outputs = Object.entries(cli.jsonOutputs).map(
    ([name, type]) => `| \`guestfs ${name} --json\` | ${jsonType(type)} | ${cli.jsonNotes[name] ?? ''} |`,
  );
  const shapes = Object.entries(cli.jsonShapes).map(([name, fields]) =>
    [
      `## ${name}`,
      '',
      '| field | is a | which tells |',
      '|---|---|---|',
      ...Object.entries(fields).map(
        ([field, [type, text]]) =>
          `| \`${field.replace('?', '')}\`${field.endsWith('?') ? ' (not always there)' : ''} | ${jsonType(type)} | ${text} |`,
      ),
      '',
    ].join('\n'),
  );
  return [
    '# JSON of the command',
    '',
    'Sizes are in bytes, times in seconds since 1970. `null` is a fact that is not known, or that there is not. New fields may be added.',
    '',
    '| command | prints | |',
    '|---|---|---|',
    ...outputs,
    '',
    ...shapes,
  ].join('\n');
}

/** Text of a manual page, in which these begin a request or an escape. */
const roff = (text) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');

function manual() {
  const lines = [
    `.TH GUESTFS 1 "" "guestfs ${version}" "User Commands"`,
    '.SH NAME',
    'guestfs \\- look into disk images of virtual machines',
    '.SH SYNOPSIS',
    '.B guestfs',
    roff('COMMAND [OPTION]... IMAGE[:/PATH]...'),
    '.SH DESCRIPTION',
    'Opens, inspects and reads the disk images of virtual machines, without a boot, without root, without a mount. Images are opened read\\-only.',
    '.SH COMMANDS',
  ];
  for (const name of cli.commandNames) {
    const help = cli.commandHelps[name];
    lines.push(`.SS ${roff(name)}`, roff(sentence(help.summary)), '.PP');
    for (const usage of help.usage) lines.push('.br', `.B guestfs ${roff(usage)}`);
    for (const paragraph of help.text) lines.push('.PP', roff(paragraph));
    for (const option of help.options)
      lines.push('.TP', `.B ${roff(option.form)}`, roff(sentence(option.text)));
    for (const [line, text] of help.examples)
      lines.push('.PP', roff(sentence(text)), '.br', `.RS 4`, roff(line), '.RE');
  }
  lines.push('.SH OPTIONS OF SEVERAL COMMANDS');
  for (const { title, options } of Object.values(cli.optionGroups)) {
    lines.push(`.SS ${roff(title)}`);
    for (const option of options) lines.push('.TP', `.B ${roff(option.form)}`, roff(sentence(option.text)));
  }
  lines.push('.SH EXIT STATUS');
  for (const [name, status] of Object.entries(cli.exitStatus))
    lines.push('.TP', `.B ${status}`, roff(sentence(statusTexts[name])));
  return lines.join('\n');
}

function contents() {
  const pages = Object.keys(topics).map((topic) => `- [${titleOf(topic)}](${pageOf(topic)})`);
  return [
    `# guestfs ${version}`,
    '',
    'Written by `npm run docs` from the tables of the API and the help of the command.',
    '',
    '- [The command](command.md), and `guestfs.1` for man',
    '- [JSON of the command](json.md): the shapes of what it prints with `--json`',
    '- [Structs](structs.md)',
    '- [Events](events.md)',
    '',
    '## Actions',
    '',
    ...pages,
  ].join('\n');
}

rmSync(out, { recursive: true, force: true });
for (const topic of Object.keys(topics)) write(pageOf(topic), topicPage(topic));
write('structs.md', structsPage());
write('events.md', eventsPage());
write('command.md', commandPage());
write('json.md', jsonPage());
write('guestfs.1', manual());
write('README.md', contents());
console.log(
  `docs: ${Object.keys(topics).length} topics, ${Object.keys(actions).length} actions, ${cli.commandNames.length} commands, in ${out}`,
);
