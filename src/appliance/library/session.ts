/** What the daemon can tell of its session, for a second one that must become the same. */
import type { CarriedCall } from '../../api/index.js';
import { UnsupportedError } from '../../base/index.js';
import type { LibraryCall } from './call.js';

/** Devices that only this session has: what was unlocked with a key, and files that are mounted as devices. */
const ownDevices = /^\/dev\/(?:loop|mapper\/(?!.*-))/;

const depthOf = (directory: string): number => directory.split('/').filter((name) => name !== '').length;

/**
 * The mounts, outermost first, and the umask. The daemon knows neither the options of the mounts nor filters and keys:
 * ENOTSUP where a mount depends on them.
 */
export async function tellSession(call: LibraryCall): Promise<readonly CarriedCall[]> {
  const mounts = [...(await call.daemon('mountpoints', []))];
  const own = mounts.find(([device]) => ownDevices.test(device));
  if (own !== undefined)
    throw new UnsupportedError('the appliance', [`a second session with ${own[0]} mounted on ${own[1]}`]);
  const umask = await call.daemon('get_umask', []);
  return [
    ...mounts
      .sort(([, one], [, other]) => depthOf(one) - depthOf(other))
      .map(([device, directory]) => ({
        action: 'mount_options',
        args: ['ro', device, directory],
        options: {},
      })),
    { action: 'umask', args: [umask], options: {} },
  ];
}
