/** The texts of `guestfs --help` and of `guestfs COMMAND --help`, at most 80 columns wide. */

import { fold } from '../terminal/fold.js';
import { padEnd } from '../terminal/width.js';
import { commandHelps } from './command-helps.js';
import { type CommandName, commandNames } from './command-names.js';
import { type CommandHelp, type OptionHelp, optionGroups } from './help-shape.js';

const formWidth = 20;

function optionLines(options: readonly OptionHelp[]): string[] {
  const indent = ' '.repeat(formWidth + 4);
  return options.flatMap(({ form, text }) =>
    form.length > formWidth
      ? [`  ${form}`, ...fold(text, indent)]
      : fold(text, indent, `  ${padEnd(form, formWidth)}  `),
  );
}

/** A command line and what it does: side by side where there is room, else one above the other. */
function exampleLines(examples: CommandHelp['examples']): string[] {
  return examples.flatMap(([line, text]) => [`  ${line}`, ...fold(text, '      ')]);
}

/** The help of one command. */
export function commandHelp(name: CommandName): string {
  const help = commandHelps[name];
  const lines = [
    ...help.usage.map((usage, index) => `${index === 0 ? 'Usage: ' : '       '}guestfs ${usage}`),
    '',
    ...help.text.flatMap((paragraph) => [...fold(paragraph, ''), '']),
  ];
  if (help.examples.length > 0) lines.push('Examples', ...exampleLines(help.examples), '');
  if (help.options.length > 0) lines.push('Options', ...optionLines(help.options), '');
  for (const group of [...help.groups, 'common'] as const) {
    const { title, options } = optionGroups[group];
    lines.push(title, ...optionLines(options), '');
  }
  return `${lines.slice(0, -1).join('\n')}\n`;
}

/** `guestfs --help`. */
export function overview(): string {
  return `guestfs looks into disk images of virtual machines, and changes them: no boot,
no root, no mount.

Usage: guestfs COMMAND [OPTION]... IMAGE[:/PATH]...
       guestfs IMAGE               the same as guestfs inspect IMAGE

Commands
${commandNames.map((name) => `  ${padEnd(name, 12)} ${commandHelps[name].summary}`).join('\n')}

Examples
  guestfs ls -l disk.qcow2:/etc
  guestfs cat disk.qcow2:/etc/os-release
  guestfs cp -r disk.qcow2:/var/log ./logs
  guestfs find disk.raw:/home --name '*.pdf' --json
  guestfs cat -m /dev/sda2 disk.qcow2:/boot.log     mounted by hand
  guestfs rm --rw disk.qcow2:/etc/machine-id

Images are opened read-only unless --rw is given. Paths inside begin with a
slash. --json gives the facts to programs. guestfs COMMAND --help tells more.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 image cannot be opened, 4 not
found inside, 5 not supported, 6 image is corrupt, 130 interrupted.
`;
}
