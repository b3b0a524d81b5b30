/**
 * The program blkid's facts about a device, by blkid's names: first about the contents, then about the device. The
 * values are as `blkid -o export` prints them, in the C locale.
 */

import { encodeText, GuestfsError } from '../../base/index.js';
import { numberOfDevice } from '../../formats/index.js';
import { partitionEntryFacts, tableFacts } from '../../partition/index.js';
import type { BlockDevice } from '../../vfs/index.js';
import { identityOf, namesOf } from './recognition.js';
import type { Session } from './session.js';

/** Characters with a meaning in a shell get a backslash; bytes beyond ASCII are shown as in `cat -v`. */
function printable(value: string): string {
  let text = '';
  for (const byte of encodeText(value)) {
    const low = byte & 0x7f;
    if (byte > 0x7f) text += 'M-';
    const character = String.fromCharCode(low);
    if (low < 0x20 || low === 0x7f) text += `^${String.fromCharCode(low ^ 0x40)}`;
    else text += byte < 0x80 && ' \\"\'$`<>'.includes(character) ? `\\${character}` : character;
  }
  return text;
}

/**
 * The kernel's recommended sizes for input and output, in bytes: for a striped volume, one stripe and all of them.
 */
function ioSizes(session: Session, device: BlockDevice): [string, string][] {
  const least = (size: number): [string, string] => ['MINIMUM_IO_SIZE', String(size)];
  const stripes = session.scan.volume(device)?.stripes;
  if (stripes === undefined) return [least(device.sectorSize)];
  const { count, sizeInBytes } = stripes;
  return [least(sizeInBytes), ['OPTIMAL_IO_SIZE', String(count * sizeInBytes)]];
}

/** `8:16` */
function deviceNumbers(name: string): string {
  const number = numberOfDevice(name) ?? 0;
  return `${(number >> 8) & 0xfff}:${(number & 0xff) | ((number >> 12) & 0xfff00)}`;
}

/** All facts about a device. ENOENT if it does not exist; EINVAL if several things may be on it. */
export function blockDeviceFacts(session: Session, name: string): Map<string, string> {
  const device = session.devices.resolve(name);
  const facts = new Map<string, string>([['DEVNAME', name]]);
  const add = (more: Iterable<readonly [string, string]>): void => {
    for (const [fact, value] of more) if (value !== '') facts.set(fact, printable(value));
  };
  const recognition = session.contents.recognise(device);
  if (recognition.ambivalent)
    throw new GuestfsError(
      'EINVAL',
      `${name}: has signatures of ${namesOf(recognition)}: its type is not known`,
    );
  const probed = identityOf(recognition);
  if (probed) {
    add([
      ['USAGE', 'filesystem'],
      ['TYPE', probed.type],
      ['LABEL', probed.label],
      ['UUID', probed.uuid],
      ...Object.entries(probed.facts),
    ]);
  }
  const sector = String(device.sectorSize);
  add([...ioSizes(session, device), ['PHYSICAL_SECTOR_SIZE', sector], ['LOGICAL_SECTOR_SIZE', sector]]);
  const table = session.tables.table(device);
  if (table && !probed) add(tableFacts(table));
  const partition = session.tables.partition(device);
  const parentTable = device.parent && session.tables.table(device.parent);
  if (partition?.kind === 'extended') add([['PTTYPE', 'dos']]);
  if (partition && parentTable && device.parent) {
    add(partitionEntryFacts(parentTable, partition));
    add([['PART_ENTRY_DISK', deviceNumbers(device.parent.name)]]);
  }
  return facts;
}
