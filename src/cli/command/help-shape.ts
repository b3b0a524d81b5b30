/** What a help text is made of, and the options that several commands share. */
import { formatNames } from './options.js';

/** What each option does, in few words. An option that several commands share has one meaning. */
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
  choice: {
    title: 'Mounting',
    options: [
      { form: '-i, --inspect', text: 'mount as the operating system found would' },
      { form: '--root DEV', text: 'the same, of which system, where there are several' },
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
      { form: '--format FORMAT', text: `${formatNames.join(', ')}, instead of detecting it` },
      {
        form: '--blocksize SIZE',
        text: 'bytes of a sector: 512 or 4096, instead of looking at the partition table',
      },
      { form: '--trust', text: 'follow any file that the image names, as qemu does' },
      { form: '--ro', text: 'open for reading only (the default)' },
      { form: '--rw', text: 'open for writing; without it nothing can change the image' },
      {
        form: '--backend NAME',
        text: 'auto (the default: boots the real appliance when something needs it), embedded (never), direct (at once)',
      },
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
