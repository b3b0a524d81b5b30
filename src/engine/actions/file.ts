/** `file`: what something is and holds, in words. */
import type { FileType } from '../../fs/index.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';
import { identify } from '../words/identify/index.js';

const kinds: Readonly<Partial<Record<FileType, string>>> = {
  directory: 'directory',
  symlink: 'symbolic link',
  block: 'block device',
  character: 'character device',
  fifo: 'FIFO',
  socket: 'socket',
};

function describe(call: Call, name: string): string {
  const { session } = call;
  if (name.startsWith('/dev/')) return identify(session.devices.resolve(name).disk);
  const place = session.tree.resolve(name, { followLast: false });
  const kind = kinds[place.type];
  if (kind !== undefined) return kind;
  const { mode } = place.fileSystem.stat(place.inode);
  const special = specialBits.map(([bit, word]) => (mode & bit ? `${word} ` : '')).join('');
  return special + identify(place.fileSystem.data(place.inode));
}

/** Permission bits that are worth a word. */
const specialBits = [
  [0o4000, 'setuid'],
  [0o2000, 'setgid'],
  [0o1000, 'sticky'],
] as const;

export const fileHandlers = { file: describe } satisfies TopicHandlers;
