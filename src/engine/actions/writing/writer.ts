/** What the actions that change files share. */
import { encodeText, GuestfsError } from '../../../base/index.js';
import type { GrowableDisk } from '../../../disk/index.js';
import { TreeWriter } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import { whyUnwritable } from './changed-device.js';

/** The permissions of a new file and of a new directory, umask not applied. */
export const fileMode = 0o666;
export const directoryMode = 0o777;

/** The way to change the guest's files. */
export function treeWriter(call: Call): TreeWriter {
  const { session } = call;
  return new TreeWriter(session.tree, {
    umask: session.umask,
    touch() {
      call.touch();
      session.directoryRuns.forgetAll();
    },
    changed: session.watches && ((change) => session.watches?.note(change)),
    refusal(mount) {
      let lowest = mount;
      while (lowest.holder !== undefined) lowest = lowest.holder;
      return whyUnwritable(call, session.devices.resolve(lowest.source));
    },
  });
}

/** Runs `work` with the contents of a file, which are closed afterwards. */
export function withContents<T>(contents: GrowableDisk, work: (contents: GrowableDisk) => T): T {
  try {
    return work(contents);
  } finally {
    contents.close();
  }
}

/** EINVAL for a mode below zero. */
export function checkMode(mode: number, path: string): void {
  if (mode < 0) throw new GuestfsError('EINVAL', `${path}: mode is negative`, { path });
}

/** EINVAL for a length or offset below zero. `what`: its name. */
export function checkNotNegative(value: number, what: string, path?: string): void {
  if (value < 0) throw new GuestfsError('EINVAL', `${what} is negative`, { path });
}

/** The bytes of a buffer argument. */
export function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? encodeText(content) : content;
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const mostAttempts = 1000;

/** A path that is not there yet: `template` with letters for the X's before the suffix. EINVAL if there are not six. */
export function withNewName(template: string, suffix: string, make: (path: string) => void): string {
  const stem = template.slice(0, -6);
  if (template.slice(-6) !== 'XXXXXX') {
    throw new GuestfsError('EINVAL', `${template}: a template must end in XXXXXX`, { path: template });
  }
  for (let attempt = 1; ; attempt++) {
    const random = Array.from({ length: 6 }, () => letters[Math.floor(Math.random() * letters.length)]);
    const path = `${stem}${random.join('')}${suffix}`;
    try {
      make(path);
      return path;
    } catch (thrown) {
      const isTaken = thrown instanceof GuestfsError && thrown.code === 'EEXIST';
      if (!isTaken || attempt === mostAttempts) throw thrown;
    }
  }
}
