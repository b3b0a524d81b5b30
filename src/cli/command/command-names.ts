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
  'mkdir',
  'rm',
  'mv',
  'ln',
  'touch',
  'chmod',
  'chown',
  'write',
  'edit',
  'tar-in',
  'create',
  'make-fs',
  'resize',
  'partition',
  'check',
  'call',
  'actions',
  'doctor',
  'completion',
  'help',
] as const;

export type CommandName = (typeof commandNames)[number];

export const isCommandName = (name: string): name is CommandName =>
  (commandNames as readonly string[]).includes(name);
