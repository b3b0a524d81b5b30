/** Checking filesystems, as far as they are in order: fsck(8) and e2fsck(8) as libguestfs runs them. */
import { GuestfsError, UnsupportedError } from '../../../base/index.js';
import { type Disk, SliceDisk } from '../../../disk/index.js';
import { planCleanCheck } from '../../../fs/index.js';
import { discardableLayer } from '../../session/drive.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { changeDevice, writableDevice } from './changed-device.js';
import { extTypeOf } from './ext-format.js';

const elsewhere = { elsewhere: 'appliance' } as const;

/** The status of a checker that found nothing, or nothing but a log to be replayed. */
const nothingFound = 0;

/** Looks at a filesystem, and finishes what a mount would have to. Whatever is not in order is repaired elsewhere. */
function checkExtFileSystem(
  call: Call,
  name: string,
  how: { readonly isFull?: boolean; readonly isReadOnly?: boolean } = {},
): void {
  const device = writableDevice(call, name);
  if (call.session.scan.isInUse(device))
    throw new UnsupportedError(name, ['checking a filesystem that is in use'], elsewhere);
  const layers: Disk[] = [];
  try {
    const write = planCleanCheck(device.disk, {
      overlay: (disk) => {
        // A slice closes nothing: the device outlives the layer that is put over it.
        const layer = discardableLayer(new SliceDisk(disk, 0, disk.size), call.session.config.tmpdir);
        layers.push(layer);
        return layer;
      },
      time: Math.floor(Date.now() / 1000),
      ...how,
    });
    if (write !== undefined) changeDevice(call, device, () => write());
  } finally {
    for (const layer of layers) layer.close();
  }
}

/** Exported for the compiler. */
export interface E2fsckOptions {
  readonly correct?: boolean | undefined;
  readonly forceall?: boolean | undefined;
  readonly forceno?: boolean | undefined;
}

/** As in libguestfs, all of it is looked at in any case. */
function e2fsck(
  call: Call,
  name: string,
  { correct = false, forceall = false, forceno = false }: E2fsckOptions,
): void {
  const chosen = [correct, forceall, forceno].filter((each) => each).length;
  if (chosen > 1)
    throw new GuestfsError('EINVAL', "only one of the options 'correct', 'forceall', 'forceno' may be given");
  // Without an answer to its questions e2fsck wants a terminal.
  if (chosen === 0) throw new UnsupportedError('e2fsck', ['none of its options'], elsewhere);
  checkExtFileSystem(call, name, { isFull: true, isReadOnly: forceno });
}

export const checkingHandlers = {
  e2fsck,
  e2fsck_f: (call, name) => e2fsck(call, name, { correct: true }),
  fsck: (call, fstype, name) => {
    if (extTypeOf(fstype) === undefined) throw new UnsupportedError('fsck', [fstype], elsewhere);
    checkExtFileSystem(call, name);
    return nothingFound;
  },
} satisfies TopicHandlers;
