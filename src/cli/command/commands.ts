/** The commands by name. Each is loaded only when it is run: starting is most of what a short command costs. */
import type { CommandName } from './command-names.js';
import type { Command } from './invocation.js';

export const commands = {
  inspect: async () => (await import('../commands/inspect.js')).inspect,
  filesystems: async () => (await import('../commands/filesystems.js')).filesystems,
  info: async () => (await import('../commands/info.js')).info,
  ls: async () => (await import('../commands/ls.js')).ls,
  cat: async () => (await import('../commands/cat.js')).cat,
  stat: async () => (await import('../commands/stat.js')).stat,
  find: async () => (await import('../commands/find.js')).find,
  df: async () => (await import('../commands/df.js')).df,
  cp: async () => (await import('../commands/cp.js')).cp,
  'tar-out': async () => (await import('../commands/tar-out.js')).tarOut,
  hexdump: async () => (await import('../commands/hexdump.js')).hexdump,
  mkdir: async () => (await import('../commands/writing/mkdir.js')).mkdir,
  rm: async () => (await import('../commands/writing/rm.js')).rm,
  mv: async () => (await import('../commands/writing/mv.js')).mv,
  ln: async () => (await import('../commands/writing/ln.js')).ln,
  touch: async () => (await import('../commands/writing/touch.js')).touch,
  chmod: async () => (await import('../commands/writing/chmod.js')).chmod,
  chown: async () => (await import('../commands/writing/chown.js')).chown,
  create: async () => (await import('../commands/create.js')).create,
  resize: async () => (await import('../commands/resize.js')).resize,
  check: async () => (await import('../commands/check.js')).check,
  call: async () => (await import('../commands/call.js')).call,
  actions: async () => (await import('../commands/actions.js')).actions,
  doctor: async () => (await import('../commands/doctor.js')).doctor,
  completion: async () => (await import('../commands/completion.js')).completion,
  help: async () => (await import('../commands/help.js')).help,
} as const satisfies Readonly<Record<CommandName, () => Promise<Command>>>;
