/**
 * The device-mapper devices that Linux makes of active volumes, in the order in which lvm2 makes them, which decides
 * their minor numbers. Some volumes take devices of their own beside the one that is used: the parts they are made of,
 * and those that lvm2 adds with an ending to the name (`-real`, `-cow`, `-tpool`).
 */
import { namesIn } from './config.js';
import type { LogicalVolumeText } from './metadata.js';
import type { LogicalVolume, LvmState } from './state.js';
import { deepestStack } from './volume-disk.js';

/** A device-mapper device. */
export interface MapperDevice {
  /** `/dev/mapper/…` */
  readonly mapperName: string;
  readonly minor: number;
  /** The volume that it is; undefined: a device that lvm2 adds. */
  readonly volume: LogicalVolume | undefined;
}

/** The parts that come before a volume, in their order; a cache pool is represented by its own parts. */
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

/** Every device, by minor number as far as the order tells. `isActive`: which volumes are active, those of the state by default. */
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
    // The device of a pool that volumes use; the one with its plain name only keeps it.
    if (type === 'thin-pool') add(`${volume.mapperName}-tpool`);
    add(volume.mapperName, volume);
  };
  for (const { logicalVolumes } of state.volumeGroups) {
    const volumes = new Map(logicalVolumes.map((volume) => [volume.name, volume]));
    for (const volume of logicalVolumes) if (!volume.hidden && isActive(volume)) visit(volume, volumes, 0);
  }
  return devices;
}
