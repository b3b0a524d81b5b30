/**
 * Parses udev's links under `/dev` to block devices: by contents (`by-uuid`, `by-label`), by partition table
 * (`by-partuuid`, `by-partlabel`), by the names of device-mapper and lvm2 (`by-id/dm-name-…`, `by-id/dm-uuid-…`,
 * `by-id/lvm-pv-uuid-…`, `/dev/dm-0`), and by the place in libguestfs's appliance (`by-id/scsi-…`, `by-path`).
 *
 * The rules are systemd's 60-persistent-storage.rules and lvm2's 13-dm-disk.rules and 69-lvm.rules.
 */
import { concatBytes, decodeText, encodeText } from '../base/index.js';
import { type DrivePlace, placeOfLink } from '../formats/index.js';

/** The properties of a device that only the table's owner knows. */
export type DeviceProperty = 'uuid' | 'label' | 'partuuid' | 'partlabel' | 'pvUuid' | 'dmUuid' | 'dmMinor';

/** The meaning of a link. */
export type LinkTarget =
  | { readonly kind: 'property'; readonly property: DeviceProperty; readonly value: string }
  /** By the name in `/dev/mapper`. */
  | { readonly kind: 'mapper'; readonly name: string }
  /** By the label that the caller gave to a drive, perhaps followed by a partition number. */
  | { readonly kind: 'driveLabel'; readonly value: string }
  | ({ readonly kind: 'place' } & DrivePlace);

const properties: ReadonlyMap<string, DeviceProperty> = new Map([
  ['by-uuid', 'uuid'],
  ['by-label', 'label'],
  ['by-partuuid', 'partuuid'],
  ['by-partlabel', 'partlabel'],
]);

/** Prefixes of names in `by-id`, each for a property. */
const identities: readonly (readonly [prefix: string, DeviceProperty])[] = [
  ['dm-uuid-', 'dmUuid'],
  ['lvm-pv-uuid-', 'pvUuid'],
];

/** A drive with a label has the label as its identifier. */
const scsiIdentity = /^scsi-0QEMU_QEMU_HARDDISK_([A-Za-z]{1,20})(?:-part([1-9][0-9]{0,2}))?$/;

/** udev writes a byte that is unsuitable for a file name as `\x20`. */
function unescapeLink(value: string): string {
  if (!value.includes('\\x')) return value;
  const pieces = value.split(/\\x([0-9a-fA-F]{2})/);
  // Every second piece is the hexadecimal digits of a byte.
  return decodeText(
    concatBytes(
      pieces.map((piece, index) =>
        index % 2 === 0 ? encodeText(piece) : Uint8Array.of(Number.parseInt(piece, 16)),
      ),
    ),
  );
}

const property = (name: DeviceProperty, value: string): LinkTarget | undefined =>
  value === '' ? undefined : { kind: 'property', property: name, value };

function parseIdentity(name: string): LinkTarget | undefined {
  for (const [prefix, found] of identities)
    if (name.startsWith(prefix)) return property(found, name.slice(prefix.length));
  if (name.startsWith('dm-name-'))
    return { kind: 'mapper', name: `/dev/mapper/${name.slice('dm-name-'.length)}` };
  const [, label, partition = ''] = scsiIdentity.exec(name) ?? [];
  return label === undefined ? undefined : { kind: 'driveLabel', value: label + partition };
}

/** The meaning of a name under `/dev` as a link; undefined for other names. */
export function parseDeviceLink(name: string): LinkTarget | undefined {
  if (name.startsWith('/dev/mapper/')) return { kind: 'mapper', name };
  const minor = /^\/dev\/dm-(0|[1-9][0-9]{0,5})$/.exec(name)?.[1];
  if (minor !== undefined) return property('dmMinor', minor);
  const place = placeOfLink(name);
  if (place !== undefined) return { kind: 'place', ...place };
  const [, directory = '', value = ''] = /^\/dev\/disk\/([^/]+)\/([^/]+)$/s.exec(name) ?? [];
  if (directory === 'guestfs') return { kind: 'driveLabel', value };
  if (directory === 'by-id') return parseIdentity(value);
  const found = properties.get(directory);
  return found === undefined ? undefined : property(found, unescapeLink(value));
}

/** A path under `/dev` without doubled slashes, `.` and `..`; a path that leads out of `/dev` stays unchanged. */
export function tidyDevicePath(name: string): string {
  if (!/\/(?:\/|\.\.?(?:\/|$))/.test(name)) return name;
  const components: string[] = [];
  for (const component of name.split('/')) {
    if (component === '..') components.pop();
    else if (component !== '' && component !== '.') components.push(component);
  }
  return components[0] === 'dev' ? `/${components.join('/')}` : name;
}
