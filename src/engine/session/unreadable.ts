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
import { canBeRead } from './kinds.js';
import { ambivalence, namesOf } from './recognition.js';
import type { Session } from './session.js';

/** A device that cannot be read, or whose content cannot. */
export interface Fault {
  readonly device: string;
  /** The recognised content, `ext4 and xfs` if it is unclear; null if nothing was recognised. */
  readonly type: string | null;
  readonly error: GuestfsError;
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
  const isRead = session.contents.recognise(device).seen.some(({ kind }) => canBeRead(kind));
  if (isRead || !holdsFiles(probed)) return undefined;
  return {
    device: name,
    type,
    error: new UnsupportedError(name, [`reading ${type}`], { elsewhere: 'appliance' }),
  };
}

/** The devices that may hold a filesystem: drives without partitions, partitions except extended ones, volumes. */
export function filesystemDevices(session: Session): BlockDevice[] {
  const { devices } = session;
  const whole = devices.drives.filter((drive) => devices.partitions(drive).length === 0);
  return [...whole, ...devices.partitions(), ...devices.volumes].filter(
    (device) => session.tables.partition(device)?.kind !== 'extended',
  );
}

/** The unreadable ones among the devices that may hold a filesystem, in order. */
export function findFaults(session: Session): Fault[] {
  return filesystemDevices(session)
    .map((device) => {
      work.checkpoint();
      return faultOn(session, device);
    })
    .filter((fault) => fault !== undefined);
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
