/**
 * What on a session's devices cannot be read. An answer that goes over all devices is empty only where that is true: where
 * something could not be read, and nothing else is there, the call fails and names it.
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

/** A device that cannot be read, or what is on it. */
export interface Fault {
  readonly device: string;
  /** What was recognised, as `ext4 and xfs` where nobody can say which is meant; null where nothing could be. */
  readonly type: string | null;
  readonly error: GuestfsError;
}

/** Whether files are in it, at whatever depth: not so of swap, or of the journal of another filesystem. */
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
  // One of those that share a device is enough: a disc is read as ISO 9660 though its name is UDF.
  const isRead = session.contents.recognise(device).seen.some(({ kind }) => canBeRead(kind));
  if (isRead || !holdsFiles(probed)) return undefined;
  return {
    device: name,
    type,
    error: new UnsupportedError(name, [`reading ${type}`], { elsewhere: 'appliance' }),
  };
}

/** The devices on which a filesystem may be: drives without partitions, partitions but extended ones, volumes. */
export function filesystemDevices(session: Session): BlockDevice[] {
  const { devices } = session;
  const whole = devices.drives.filter((drive) => devices.partitions(drive).length === 0);
  return [...whole, ...devices.partitions(), ...devices.volumes].filter(
    (device) => session.tables.partition(device)?.kind !== 'extended',
  );
}

/** What cannot be read on the devices on which a filesystem may be, in their order. */
export function findFaults(session: Session): Fault[] {
  return filesystemDevices(session)
    .map((device) => {
      work.checkpoint();
      return faultOn(session, device);
    })
    .filter((fault) => fault !== undefined);
}

/** Devices named in one message; the rest is counted. */
const mostNamed = 5;

const deviceText = ({ device, type }: Fault): string => (type === null ? device : `${device} (${type})`);

/** The failure of a call for want of what cannot be read. `answer`: what it would have said, as `no partition was found`. */
export function faultError(faults: readonly [Fault, ...Fault[]], answer: string): GuestfsError {
  // What is damaged goes before what is not implemented: another backend does not read it either.
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
 * An answer that must not be empty for want of what cannot be read: faults on devices where nothing is recognised, or that
 * hold one of `types`, then fail the call, which would have said `text`.
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

/** The device that has a property. ENOENT with `otherwise` where there is none; another error where it may be on what cannot be read. */
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
