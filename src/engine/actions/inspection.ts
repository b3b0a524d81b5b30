/** Which operating systems are on the drives. */
import {
  type ActionResult,
  type CarriedCall,
  type Mountable,
  type OsInfo,
  osInfoOf,
  type Unreadable,
} from '../../api/index.js';
import { partitionName } from '../../formats/index.js';
import {
  fileArchitecture,
  type InspectedGuest,
  Inspection,
  type PlainInspection,
} from '../../inspect/index.js';
import { mountableName } from '../../vfs/index.js';
import { carriedCalls } from '../session/carried.js';
import { listWithFaults } from '../session/filesystem-list.js';
import type { Session } from '../session/session.js';
import { plainCall } from '../session/session-calls.js';
import { type Fault, faultError, findFaults, unreadableOf } from '../session/unreadable.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

/** The result of the last `inspect_os`, from which the getters answer. */
const last = ({ session }: Call): Inspection => session.inspection ?? Inspection.none;

/** The operating system on a root, which must be one that inspection found. */
export function guest(call: Call, root: string): InspectedGuest {
  const { device, subvolume } = call.session.devices.parseMountable(root);
  return last(call).guest(mountableName(device, subvolume));
}

function inspect(call: Call): string[] {
  const { session } = call;
  // As in libguestfs: existing mounts do not matter, because each filesystem is examined by itself.
  session.mounts.umountAll();
  const { listed, faults } = listWithFaults(call);
  const inspection = Inspection.run({
    devices: session.devices,
    candidates: () =>
      [...listed].map(([mountable, type]) => ({ mountable, type })).filter(({ type }) => type !== 'unknown'),
    open({ mountable }) {
      call.checkpoint();
      const { device, subvolume } = session.devices.parseMountable(mountable);
      return session.fileSystems.open(
        device,
        subvolume === undefined ? {} : { options: { subvol: subvolume } },
      );
    },
    findMbrPartition: (signature, startInBytes) => findMbrPartition(session, signature, startInBytes),
    warn: (message) => session.warn(message),
  });
  session.inspection = inspection;
  session.calls.inspected(plainCall('inspect_os'));
  const [first, ...more] = withOverlooked(faults, inspection);
  if (first === undefined || inspection.roots.length > 0) {
    for (const { device, error } of [first, ...more].filter((fault) => fault !== undefined))
      session.warnings.warnOf(device, error, 'not inspected');
    return [...inspection.roots];
  }
  throw faultError([first, ...more], 'no operating system was found');
}

/** The handle's `fork`: the calls that make another session the same. The inspection goes with them as data. */
export function sessionToCopy({ session }: Call): CarriedCall[] {
  const { inspection } = session;
  // The copy reads the same drives, and nothing that is in memory here.
  session.sync();
  return carriedCalls(session).map((call) =>
    call.action === 'inspect_os' && inspection !== undefined
      ? { ...call, action: 'internal_inspection', args: [JSON.stringify(inspection.plain)] }
      : call,
  );
}

/** Takes over the inspection that another session has made of the same devices. */
export function takeInspection({ session }: Call, text: string): string[] {
  // safe: the text is from a session of this version
  const inspection = Inspection.restore(JSON.parse(text) as PlainInspection);
  session.inspection = inspection;
  session.calls.inspected(plainCall('inspect_os'));
  return [...inspection.roots];
}

/** As in libguestfs, the first drive with the signature is the disk that is meant. */
function findMbrPartition(
  { devices, tables }: Session,
  signature: string,
  startInBytes: number,
): string | undefined {
  const drive = devices.drives.find((each) => tables.table(each)?.diskSignature === signature);
  const partition =
    drive && tables.table(drive)?.partitions.find((each) => each.startInBytes === startInBytes);
  return partition && partitionName(drive.name, partition.number);
}

/**
 * The unreadable parts of the devices, and the errors of an inspection that examined the readable ones: one fault for
 * each device.
 */
function withOverlooked(faults: readonly Fault[], { overlooked }: Inspection): Fault[] {
  const met = overlooked.map(({ mountable, type, error }) => ({ device: mountable, type, error }));
  const known = new Set(faults.map(({ device }) => device));
  return [...faults, ...met.filter(({ device }) => !known.has(device))];
}

/** The handle's `unreadable`: for the present devices, and from the last inspection. */
export function listUnreadable(call: Call): Unreadable[] {
  return unreadableOf(withOverlooked(findFaults(call.session), last(call)));
}

export const inspectionHandlers = {
  inspect_os: inspect,
  inspect_get_roots: (call) => [...last(call).roots],
  inspect_get_type: (call, root) => guest(call, root).type,
  inspect_get_distro: (call, root) => guest(call, root).distro,
  inspect_get_product_name: (call, root) => guest(call, root).productName,
  inspect_get_product_variant: (call, root) => guest(call, root).productVariant,
  inspect_get_osinfo: (call, root) => guest(call, root).osinfo,
  inspect_get_major_version: (call, root) => guest(call, root).majorVersion,
  inspect_get_minor_version: (call, root) => guest(call, root).minorVersion,
  inspect_get_build_id: (call, root) => guest(call, root).buildId,
  inspect_get_arch: (call, root) => guest(call, root).arch,
  inspect_get_hostname: (call, root) => guest(call, root).hostname,
  inspect_get_mountpoints: (call, root) => new Map(guest(call, root).mountpoints),
  inspect_get_filesystems: (call, root) => [...guest(call, root).filesystems],
  inspect_get_drive_mappings: (call, root) => new Map(guest(call, root).driveMappings),
  inspect_get_package_format: (call, root) => guest(call, root).packageFormat,
  inspect_get_package_management: (call, root) => guest(call, root).packageManagement,
  inspect_get_windows_systemroot: (call, root) => guest(call, root).windowsSystemroot,
  inspect_get_windows_current_control_set: (call, root) => guest(call, root).windowsCurrentControlSet,
  inspect_get_windows_software_hive: (call, root) => guest(call, root).windowsSoftwareHive,
  inspect_get_windows_system_hive: (call, root) => guest(call, root).windowsSystemHive,
  inspect_get_windows_group_policy: (call, root) => guest(call, root).windowsGroupPolicy,
  // Installation and live media are recognised by libosinfo now, no longer here: the answers are the same for all.
  inspect_get_format: (call, root) => guest(call, root) && 'installed',
  inspect_is_live: (call, root) => !guest(call, root),
  inspect_is_multipart: (call, root) => !guest(call, root),
  inspect_is_netinst: (call, root) => !guest(call, root),
  file_architecture: (call, path) => fileArchitecture(call.session.tree, path),
} satisfies TopicHandlers;

/** The handle's `osInfo`. */
export const osInfo = (call: Call, root: Mountable): OsInfo =>
  // safe: each is the answer of its getter
  osInfoOf(root, (getter) => inspectionHandlers[getter](call, root) as ActionResult<typeof getter>);
