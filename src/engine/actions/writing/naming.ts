/** Labels and UUIDs of whatever is on a device, as libguestfs sets them by the program of its type. */
import { encodeText, formatUuid, UnsupportedError } from '../../../base/index.js';
import { nameSwap, setFatLabel } from '../../../fs/index.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { changeDevice, writableDevice } from './changed-device.js';
import { extTypeOf } from './ext-format.js';
import { setExtLabel, setExtUuid } from './ext-tune.js';
import { checkSwapLabel } from './swap.js';
import { randomUuid, uuidBytes } from './uuids.js';

type Naming = Readonly<Partial<Record<string, (call: Call, name: string, given: string) => void>>>;

/** As fatlabel does: also where it is mounted. */
function labelFat(call: Call, name: string, label: string): void {
  const device = writableDevice(call, name);
  const { fileSystem, release } = call.session.fileSystems.open(device, { writable: true });
  try {
    changeDevice(call, device, () => setFatLabel(fileSystem, label));
  } finally {
    release();
  }
}

function labelSwap(call: Call, name: string, label: string): void {
  checkSwapLabel(label);
  changeDevice(call, writableDevice(call, name), (disk) => nameSwap(disk, { label: encodeText(label) }));
}

const labelling: Naming = { vfat: labelFat, swap: labelSwap };
const identifying: Naming = {
  swap(call, name, given) {
    const uuid = uuidBytes(given);
    changeDevice(call, writableDevice(call, name), (disk) => nameSwap(disk, { uuid }));
  },
};

/** What the type of what is on a device needs. */
function namingOf(call: Call, name: string, what: string, kinds: Naming, ext: Naming[string]) {
  const type = name.startsWith('btrfsvol:')
    ? 'btrfs'
    : call.session.contents.probe(call.session.devices.resolve(name))?.type;
  const found = kinds[type ?? ''] ?? (type !== undefined && extTypeOf(type) !== undefined ? ext : undefined);
  if (found === undefined)
    throw new UnsupportedError(what, [type ?? 'a device of no known type'], { elsewhere: 'appliance' });
  return found;
}

function setUuid(call: Call, name: string, uuid: string): void {
  namingOf(call, name, 'set_uuid', identifying, setExtUuid)(call, name, uuid);
}

export const namingHandlers = {
  set_label: (call, name, label) =>
    namingOf(call, name, 'set_label', labelling, setExtLabel)(call, name, label),
  set_uuid: setUuid,
  set_uuid_random: (call, name) => setUuid(call, name, formatUuid(randomUuid())),
} satisfies TopicHandlers;
