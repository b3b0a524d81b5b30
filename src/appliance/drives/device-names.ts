/**
 * The names of drives in calls to the daemon. guestfsd looks for disks when it starts, and for those it accepts
 * `/dev/hda` and `/dev/vda` as names of `/dev/sda`. For disks that are added later, it accepts only the real names.
 */
import type { ArgumentType } from '../../api/index.js';
import { canonicalDriveName, driveName, placeOfLink } from '../../formats/index.js';
import type { WireAction } from '../wire/codec.js';

/** A name, of which guestfsd itself takes those of two other drivers for a SCSI disk's; perhaps of a subvolume. */
function scsiName(name: string): string {
  const [, prefix = '', device = '', below = ''] = /^(btrfsvol:)?(\/dev\/[^/]*)(.*)$/s.exec(name) ?? [];
  // Longer letters than three are no disk's.
  if (!/^\/dev\/[hv]d[a-z]{1,3}[0-9]*$/.test(device)) return name;
  return `${prefix}${canonicalDriveName(device, ['hd', 'vd'])}${below}`;
}

/** Translates by the place that a drive has in libguestfs's own machine, which differs from its place in this one. */
function placeName(name: string): string {
  const place = placeOfLink(name);
  return place === undefined ? name : `${driveName(place.index)}${place.partition ?? ''}`;
}

/** The kinds of arguments that name a block device, perhaps among other things. */
const named: ReadonlySet<string> = new Set<ArgumentType>([
  'device',
  'mountable',
  'devOrPathname',
  'mountableOrPathname',
]);

/**
 * The arguments of a call, with every drive by its real name, which is that of a SCSI disk. `drivesComeLater`: the
 * daemon started before the drives were added.
 */
export function withRealNames(
  { args: kinds }: WireAction,
  args: readonly unknown[],
  drivesComeLater: boolean,
): readonly unknown[] {
  const realName = (name: string): string => (drivesComeLater ? scsiName(placeName(name)) : placeName(name));
  return args.map((argument, index) => {
    const type = kinds[index]?.type ?? '';
    if (named.has(type) && typeof argument === 'string') return realName(argument);
    // safe: a deviceList is a list of strings, as the arguments were checked
    return type === 'deviceList' ? (argument as readonly string[]).map(realName) : argument;
  });
}
