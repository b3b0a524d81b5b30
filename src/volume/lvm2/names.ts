/** The names of volumes under /dev and in /dev/mapper. */

/** `/dev/VG/LV`. */
export function deviceName(group: string, volume: string): string {
  return `/dev/${group}/${volume}`;
}

/** The device-mapper name, in which a dash parts group and volume, so a dash within either is doubled. */
export function mapperName(group: string, volume: string): string {
  return `/dev/mapper/${group.replaceAll('-', '--')}-${volume.replaceAll('-', '--')}`;
}

/** The device-mapper UUID of a volume, by the identifiers of the group and of the volume, both without dashes. */
export function mapperUuid(volume: {
  readonly uuid: string;
  readonly group: { readonly uuid: string };
}): string {
  return `LVM-${volume.group.uuid}${volume.uuid}`;
}

/** lvm2's rule for names of groups and volumes, without which a name could lead out of its directory. */
export function isName(name: string): boolean {
  return /^[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,126}$/.test(name) && name !== '.' && name !== '..';
}
