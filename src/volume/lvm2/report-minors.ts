/**
 * The device-mapper devices that Linux makes for active volumes, in lvm2's order, which decides their minor numbers.
 * Some volumes have more devices than the one in use: their parts, and those that lvm2 adds with a suffix (`-real`,
 * `-cow`, `-tpool`).
 */
import { namesIn } from './config.js';
import type { LogicalVolumeText } from './metadata.js';
import type { LogicalVolume, LvmState } from './state.js';
import { deepestStack } from './volume-disk.js';

/** A device-mapper device. */
interface MapperDevice {
  /** `/dev/mapper/…` */
  readonly mapperName: string;
  readonly minor: number;
  /** The volume of the device; undefined for a device that lvm2 adds. */
  readonly volume: LogicalVolume | undefined;
}

/** The parts whose devices come before a volume's, in order; in place of a cache pool, its own parts. */
const partFields = [
  'metadata',
  'data',
  'pool',
  'mirror_log',
  'mirrors',
  'raids',
  'thin_pool',
  'vdo_pool',
  'writecache',
];
const cacheFields = ['cache_pool', 'origin'];
const cachePoolFields = ['data', 'metadata'];

function partNames({ segments }: LogicalVolumeText): string[] {
  return segments.flatMap(({ type, stripes, fields }) => {
    const named = type === 'cache' ? cacheFields : type === 'cache-pool' ? cachePoolFields : partFields;
    return [...stripes.map(({ name }) => name), ...named.flatMap((field) => namesIn(fields.get(field)))];
  });
}

/**
 * All devices by minor number, as far as the order is known. `isActive`: the active volumes; by default those of the
 * state.
 */
export function listMapperDevices(
  state: LvmState,
  isActive: (volume: LogicalVolume) => boolean = ({ active }) => active,
): MapperDevice[] {
  const devices: MapperDevice[] = [];
  const done = new Set<LogicalVolume>();
  const fixed = new Set(
    state.logicalVolumes
      .filter((volume) => isActive(volume) && volume.text.minor >= 0)
      .map(({ text }) => text.minor),
  );
  let next = 0;
  const add = (mapperName: string, volume?: LogicalVolume) => {
    const own = volume?.text.minor ?? -1;
    while (own < 0 && fixed.has(next)) next++;
    devices.push({ mapperName, minor: own >= 0 ? own : next++, volume });
  };
  const visit = (volume: LogicalVolume, volumes: ReadonlyMap<string, LogicalVolume>, depth: number): void => {
    if (done.has(volume) || depth > deepestStack) return;
    done.add(volume);
    const type = volume.text.segments[0]?.type;
    for (const name of partNames(volume.text)) {
      const part = volumes.get(name);
      if (part) visit(part, volumes, depth + 1);
    }
    if (type === 'cache-pool') return;
    if (volume.isOrigin) add(`${volume.mapperName}-real`);
    if (volume.origin !== undefined) add(`${volume.mapperName}-cow`);
    // The device of a pool that volumes use; the device with the plain name only keeps the pool open.
    if (type === 'thin-pool') add(`${volume.mapperName}-tpool`);
    add(volume.mapperName, volume);
  };
  for (const { logicalVolumes } of state.volumeGroups) {
    const volumes = new Map(logicalVolumes.map((volume) => [volume.name, volume]));
    for (const volume of logicalVolumes) if (!volume.hidden && isActive(volume)) visit(volume, volumes, 0);
  }
  return devices;
}
