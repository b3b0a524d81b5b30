/** The names of volumes under /dev and in /dev/mapper. */

/** `/dev/VG/LV`. */
export function deviceName(group: string, volume: string): string {
  return `/dev/${group}/${volume}`;
}

/** The device-mapper name, in which a dash parts group and volume, so a dash within either is doubled. */
export function mapperName(group: string, volume: string): string {
  return `/dev/mapper/${group.replaceAll('-', '--')}-${volume.replaceAll('-', '--')}`;
}

/** lvm2's rule for names of groups and volumes, without which a name could lead out of its directory. */
export function isName(name: string): boolean {
  return /^[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,126}$/.test(name) && name !== '.' && name !== '..';
}
