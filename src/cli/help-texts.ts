/** The texts of `guestfs --help` and of `guestfs COMMAND --help`, at most 80 columns wide. */
import { commandHelps } from './command-helps.js';
import type { CommandName } from './commands.js';
import { padEnd } from './width.js';

/** What each option does, in few words; an option of several commands means the same in all of them. */
export interface OptionHelp {
  /** `-m, --mount DEV[:DIR]`. */
  readonly form: string;
  readonly text: string;
}

export interface CommandHelp {
  readonly summary: string;
  /** What follows `guestfs`. */
  readonly usage: readonly string[];
  /** Paragraphs. */
  readonly text: readonly string[];
  /** Its own options. */
  readonly options: readonly OptionHelp[];
  /** Which of the groups below it has. */
  readonly groups: readonly (keyof typeof optionGroups)[];
  /** A command line, and what it does. */
  readonly examples: readonly (readonly [string, string])[];
}

export const optionGroups = {
  guest: {
    title: 'Where paths inside the guest come from',
    options: [
      { form: '-i, --inspect', text: 'mount as the operating system found would (the default)' },
      { form: '--root DEV', text: 'which operating system, where there are several' },
      {
        form: '-m, --mount DEV[:DIR[:OPTIONS[:TYPE]]]',
        text: 'mount by hand instead; may be given several times',
      },
    ],
  },
  image: {
    title: 'Opening the image',
    options: [
      { form: '-a, --add FILE', text: 'a further drive: /dev/sdb and so on' },
      { form: '--format FORMAT', text: 'raw or qcow2, instead of detecting it' },
      { form: '--trust', text: 'follow any file that the image names, as qemu does' },
      { form: '--rw', text: 'open for writing; without it nothing can change the image' },
      { form: '--backend NAME', text: 'embedded (the default), direct or auto' },
      { form: '-x, --trace', text: 'show each call on standard error' },
      { form: '-v, --verbose', text: 'show the messages of the backend' },
    ],
  },
  sizes: {
    title: 'Sizes',
    options: [
      { form: '-h, --human', text: 'as 1.5G, in units of 1024 (the default)' },
      { form: '-b, --bytes', text: 'as bytes' },
    ],
  },
  progress: {
    title: 'Progress',
    options: [
      { form: '--no-progress', text: 'no progress bar, which comes after two seconds on a terminal' },
    ],
  },
  common: {
    title: 'Everywhere',
    options: [
      { form: '-q, --quiet', text: 'no notes, warnings and progress; errors are still told' },
      { form: '--color WHEN', text: 'auto, always or never; NO_COLOR turns auto off' },
      { form: '--help', text: 'this text' },
    ],
  },
} as const satisfies Readonly<Record<string, { title: string; options: readonly OptionHelp[] }>>;

const width = 79;

/** Folds words into lines of at most `width` columns. */
export function fold(text: string, indent: string, firstIndent = indent): string[] {
  const lines: string[] = [];
  let line = firstIndent;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

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

const shown: readonly CommandName[] = [
  'inspect',
  'info',
  'filesystems',
  'df',
  'ls',
  'cat',
  'stat',
  'find',
  'cp',
  'tar-out',
  'hexdump',
  'call',
  'actions',
  'doctor',
  'help',
];

/** `guestfs --help`: one screen. */
export function overview(): string {
  return `guestfs looks into disk images of virtual machines: no boot, no root, no mount.

Usage: guestfs COMMAND [OPTION]... IMAGE[:/PATH]...
       guestfs IMAGE               the same as guestfs inspect IMAGE

Commands
${shown.map((name) => `  ${padEnd(name, 12)} ${commandHelps[name].summary}`).join('\n')}

Examples
  guestfs disk.qcow2
  guestfs ls -l disk.qcow2:/etc
  guestfs cat disk.qcow2:/etc/os-release
  guestfs cp -r disk.qcow2:/var/log ./logs
  guestfs find disk.raw:/home --name '*.pdf' --json
  guestfs cat -m /dev/sda2 disk.qcow2:/boot.log     mounted by hand

Images are opened read-only. Paths inside begin with a slash. --json gives the
facts to programs. guestfs COMMAND --help tells more.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 image cannot be opened, 4 not
found inside, 5 not supported, 6 image is corrupt, 130 interrupted.
`;
}
