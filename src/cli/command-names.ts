/** The names of the commands, in the order of the help. */

export const commandNames = [
  'inspect',
  'filesystems',
  'info',
  'ls',
  'cat',
  'stat',
  'find',
  'df',
  'cp',
  'tar-out',
  'hexdump',
  'call',
  'actions',
  'doctor',
  'help',
] as const;

export type CommandName = (typeof commandNames)[number];

/** Those that open no image, or one only sometimes. */
const withoutImage: ReadonlySet<CommandName> = new Set(['actions', 'doctor', 'help']);

/** Whether a command is all but sure to launch the engine. */
export const opensImages = (name: CommandName): boolean => !withoutImage.has(name);

export const isCommandName = (name: string): name is CommandName =>
  (commandNames as readonly string[]).includes(name);
