/**
 * The names of drives in calls to a daemon that was started before them. guestfsd looks at its start which disks there are,
 * and by that takes `/dev/hda` and `/dev/vda` for `/dev/sda`; of disks that come later it knows the real names alone.
 */
import type { WireAction } from './codec.js';

/** A disk or partition under another driver's name; perhaps of a subvolume. */
const otherDriver = /^((?:btrfsvol:)?\/dev\/)[hv](d[a-z]{1,3}[0-9]*)(?=$|\/)/;

const realName = (name: string): string => name.replace(otherDriver, '$1s$2');

const named = new Set<string>(['device', 'mountable', 'devOrPathname', 'mountableOrPathname']);

/** The arguments of a call, every drive in them by its real name: that of a SCSI disk. */
export function withRealNames({ args: kinds }: WireAction, args: readonly unknown[]): readonly unknown[] {
  return args.map((argument, index) => {
    const type = kinds[index]?.type ?? '';
    if (named.has(type) && typeof argument === 'string') return realName(argument);
    // safe: a deviceList is a list of strings, as the arguments were checked
    return type === 'deviceList' ? (argument as readonly string[]).map(realName) : argument;
  });
}
