/**
 * The unreadable parts of a session's devices. An empty answer over all devices must be true: if something could not
 * be read and nothing else was found, the call fails and names it.
 */
import type { Unreadable } from '../../api/index.js';
import {
  CorruptError,
  elsewhereOf,
  endsCall,
  GuestfsError,
  systemError,
  UnsupportedError,
  work,
} from '../../base/index.js';
import type { Probed } from '../../disk/index.js';
import type { BlockDevice, DeviceProperty } from '../../vfs/index.js';
import { canBeRead, elsewhereFor } from './kinds.js';
import { ambivalence, namesOf } from './recognition.js';
import type { Session } from './session.js';

/** A device that cannot be read, or whose content cannot. */
export interface Fault {
  readonly device: string;
  /** The recognised content, `ext4 and xfs` if it is unclear; null if nothing was recognised. */
  readonly type: string | null;
  readonly error: GuestfsError;
}

/** Dynamic disks of Windows: the one type of their partitions on MBR, and on GPT those of their metadata and data. */
const dynamicType = 0x42;
const dynamicMetadata = '5808C8AA-7E8F-42E0-85D2-E1E90434CFB3';
const dynamicData = 'AF9B60A0-1431-4F62-BC68-3311714A69AD';
const microsoftReserved = 'E3C9E316-0B5C-4DB8-817D-F92DF00215AE';

/** As in libguestfs, which looks at the types of MBR and GPT alone. */
function mayHoldFilesystem(session: Session, device: BlockDevice): boolean {
  const { kind, mbrId, gptType = '' } = session.tables.partition(device) ?? {};
  return (
    kind !== 'extended' &&
    mbrId !== dynamicType &&
    ![dynamicMetadata, dynamicData, microsoftReserved].includes(gptType)
  );
}

/** Whether a partition makes its drive a dynamic disk, whose volumes are another system's than partitions. */
function isDynamic(session: Session, device: BlockDevice): boolean {
  const partition = session.tables.partition(device);
  return partition?.mbrId === dynamicType || partition?.gptType === dynamicMetadata;
}

/** What the dynamic disks hold cannot be read here. */
export function dynamicFaults(session: Session): Fault[] {
  return session.devices
    .partitions()
    .filter((device) => isDynamic(session, device))
    .map(({ name }) => ({
      device: name,
      type: 'LDM',
      error: new UnsupportedError(name, ['dynamic disks of Windows'], { elsewhere: 'appliance' }),
    }));
}

/** Whether it contains files at any depth: false for swap, and for the journal of another filesystem. */
function holdsFiles({ type, facts }: Probed): boolean {
  return facts.USAGE !== 'other' || type === 'bcache';
}

function faultOn(session: Session, device: BlockDevice): Fault | undefined {
  const { name } = device;
  let probed: Probed | undefined;
  try {
    probed = session.contents.probe(device);
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || endsCall(thrown)) throw thrown;
    return { device: name, type: null, error: thrown };
  }
  if (probed === undefined) {
    const recognition = session.contents.recognise(device);
    if (recognition.ambivalent)
      return { device: name, type: namesOf(recognition), error: ambivalence(recognition, name) };
    const error = session.tables.known(device)?.fault;
    return error && { device: name, type: null, error };
  }
  const { type } = probed;
  const memberFault = session.scan.systems.memberFault(device);
  if (memberFault !== undefined) return { device: name, type, error: memberFault };
  // One readable kind is enough: a disc named UDF is read as ISO 9660.
  const { seen } = session.contents.recognise(device);
  if (seen.some(({ kind }) => canBeRead(kind)) || !holdsFiles(probed)) return undefined;
  const elsewhere = seen.some(({ kind }) => elsewhereFor(kind) === 'appliance') ? 'appliance' : 'nowhere';
  return { device: name, type, error: new UnsupportedError(name, [`reading ${type}`], { elsewhere }) };
}

/** The devices that may hold a filesystem: drives without partitions, partitions by their type, volumes. */
export function filesystemDevices(session: Session): BlockDevice[] {
  const { devices } = session;
  const whole = devices.drives.filter((drive) => devices.partitions(drive).length === 0);
  return [...whole, ...devices.partitions(), ...devices.volumes].filter((device) =>
    mayHoldFilesystem(session, device),
  );
}

/** The unreadable ones among the devices that may hold a filesystem, in order, and then dynamic disks. */
export function findFaults(session: Session): Fault[] {
  const faults = filesystemDevices(session).map((device) => {
    work.checkpoint();
    return faultOn(session, device);
  });
  return [...faults.filter((fault) => fault !== undefined), ...dynamicFaults(session)];
}

/** How many devices one message names; the rest is counted. */
const mostNamed = 5;

const deviceText = ({ device, type }: Fault): string => (type === null ? device : `${device} (${type})`);

/**
 * The error of a call whose answer would only be empty because something cannot be read. `answer`: the text of the
 * empty answer, as `no partition was found`.
 */
export function faultError(faults: readonly [Fault, ...Fault[]], answer: string): GuestfsError {
  // Damage comes before missing features, because other backends cannot read it either.
  const { error, ...worst } = faults.find((fault) => !(fault.error instanceof UnsupportedError)) ?? faults[0];
  const others = faults.filter(({ device }) => device !== worst.device).map(deviceText);
  if (others.length > mostNamed)
    others.splice(mostNamed, others.length, `${others.length - mostNamed} more devices`);
  const also = others.length === 0 ? '' : `, nor ${others.join(', ')}`;
  const bare = (text: string): string => text.replace(`${worst.device}: `, '');
  const lead = `${answer}, and ${deviceText({ error, ...worst })} cannot be read${also}`;
  if (error instanceof UnsupportedError)
    return new UnsupportedError(lead, error.features, { cause: error, elsewhere: error.elsewhere });
  if (error instanceof CorruptError)
    return new CorruptError(`${lead}: ${bare(error.structure)}`, error.problem, error.details, {
      cause: error,
    });
  return new GuestfsError(error.code, `${lead}: ${bare(error.message)}`, { cause: error });
}

/**
 * For an answer that must not be empty only because something cannot be read: faults on devices where nothing is
 * recognised, or that hold one of `types`, then fail the call with `text`.
 */
export function orFault<T extends readonly unknown[]>(
  session: Session,
  answer: T,
  text: string,
  ...types: readonly string[]
): T {
  if (answer.length > 0) return answer;
  const [first, ...more] = findFaults(session).filter(({ type }) => type === null || types.includes(type));
  if (first !== undefined) throw faultError([first, ...more], text);
  return answer;
}

/**
 * The device with a property. ENOENT with `otherwise` if there is none; another error if it may be on an unreadable
 * device.
 */
export function foundBy(
  session: Session,
  property: DeviceProperty,
  value: string,
  otherwise: string,
): string {
  const found = session.findByProperty(property, value);
  if (found !== undefined) return found.name;
  const [first, ...more] = findFaults(session).filter(({ type }) => type === null);
  throw first === undefined ? systemError('ENOENT', otherwise) : faultError([first, ...more], otherwise);
}

/** Faults as callers see them. */
export function unreadableOf(faults: readonly Fault[]): Unreadable[] {
  return faults.map(({ device, type, error }) => {
    const { code, message } = error;
    const elsewhere = elsewhereOf(error);
    return { device, type, code, message, ...(elsewhere === undefined ? {} : { elsewhere }) };
  });
}
