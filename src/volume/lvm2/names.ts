/** Names that lvm2 gives, and those that it takes. */

/** The device-mapper UUID of a volume, from the identifiers of the group and the volume, both without dashes. */
export function mapperUuid(volume: {
  readonly uuid: string;
  readonly group: { readonly uuid: string };
}): string {
  return `LVM-${volume.group.uuid}${volume.uuid}`;
}

/** lvm2's rule for names of groups and volumes. Without it, a name could lead out of its directory. */
export function isName(name: string): boolean {
  return /^[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,126}$/.test(name) && name !== '.' && name !== '..';
}
