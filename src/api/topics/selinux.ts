/**
 * SELinux: the security labels of files.
 */
import { gives, optional, pathname, pathnameList, string, topic } from '../action.js';

const specfile = string('specfile', 'path of the file of contexts in the guest');
const force = optional.bool('also reset labels that users may change, and all parts of a label');

export const selinux = topic('SELinux', () => ({
  setfiles: {
    args: [specfile, pathnameList('paths', 'paths to begin at')],
    options: { force, excludes: optional.stringList('paths to leave out') },
    result: gives.nothing,
    proc: 519,
    since: '1.57.1',
    group: 'selinuxrelabel',
    by: 'appliance',
    short: "label files as the guest's policy says",
    help: 'Labels everything below `paths` after `specfile`, a path in the guest, mostly `/etc/selinux/targeted/contexts/files/file_contexts`. Do it after making files in a guest that enforces SELinux. `force` also resets labels that users may change, and all parts of a label; `excludes` are paths to leave out.',
  },
  selinux_relabel: {
    args: [specfile, pathname('path', 'path to begin at')],
    options: { force },
    result: gives.nothing,
    proc: 467,
    since: '1.33.43',
    group: 'selinuxrelabel',
    deprecatedBy: 'setfiles',
    by: 'appliance',
    short: "label files below one path as the guest's policy says",
    help: 'Use `setfiles`, which takes several paths and can leave some out.',
  },
  setcon: {
    args: [string('context', 'the label')],
    result: gives.nothing,
    proc: 185,
    since: '1.0.67',
    group: 'selinux',
    deprecatedBy: 'setfiles',
    by: 'appliance',
    reads: true,
    short: 'set the label of the backend itself',
    help: 'Sets which SELinux context the backend acts in. Use `setfiles` to label the files of a guest.',
  },
  getcon: {
    args: [],
    result: gives.string,
    proc: 186,
    since: '1.0.67',
    group: 'selinux',
    deprecatedBy: 'setfiles',
    reads: true,
    short: 'give the label of the backend itself',
    help: 'Gives the SELinux context that the backend acts in. Use `setfiles` to label the files of a guest.',
  },
}));
