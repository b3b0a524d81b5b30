/**
 * Which extents a linear volume gets: lvm2's policy `normal`, which tries `contiguous` and `cling` first (lib/metadata/
 * lv_manip.c). What is asked for is taken whole from one physical volume if any has room for it in one piece.
 */
import { GuestfsError, UnsupportedError, work } from '../../../base/index.js';
import { namesIn } from '../config.js';
import type { LogicalVolumeText, VolumeGroupText } from '../metadata.js';

/** Extents that lie together on a physical volume, by its name in the metadata. */
export interface ExtentRun {
  readonly member: string;
  readonly first: number;
  readonly count: number;
}

/** The types whose extents are all in `stripes`, or in volumes that are listed themselves. */
const knownTypes = new Set([
  ...[
    'striped',
    'linear',
    'zero',
    'error',
    'snapshot',
    'thin',
    'thin-pool',
    'cache',
    'cache-pool',
    'writecache',
  ],
  ...[
    'raid0',
    'raid0_meta',
    'raid1',
    'raid4',
    'raid5',
    'raid5_la',
    'raid5_ls',
    'raid5_ra',
    'raid5_rs',
    'raid5_n',
  ],
  ...['raid6', 'raid6_zr', 'raid6_nr', 'raid6_nc', 'raid6_n_6', 'raid10', 'vdo', 'vdo-pool', 'integrity'],
]);

/** The extents in use of each physical volume, in order. UnsupportedError where some may be used in an unknown way. */
function usedRuns(group: VolumeGroupText): Map<string, ExtentRun[]> {
  const used = new Map<string, ExtentRun[]>();
  for (const { name, segments } of group.volumes.values())
    for (const { type, stripes, extentCount, fields } of segments) {
      const others = [...fields].flatMap(([field, value]) => (field === 'stripes' ? [] : namesIn(value)));
      if (!knownTypes.has(type) && (type !== 'mirror' || others.some((other) => group.members.has(other))))
        throw new UnsupportedError(
          `LVM volume ${group.name}/${name}`,
          [`allocation beside segment type ${type}`],
          {
            elsewhere: 'appliance',
          },
        );
      for (const { name: member, extent } of stripes) {
        work.entries.spend(1);
        const runs = used.get(member) ?? [];
        runs.push({ member, first: extent, count: extentCount / stripes.length });
        used.set(member, runs);
      }
    }
  for (const runs of used.values()) runs.sort((one, other) => one.first - other.first);
  return used;
}

/** The free extents of each physical volume that may be allocated from, in lvm2's order: the largest run first. */
function freeRuns(group: VolumeGroupText): ExtentRun[][] {
  const used = usedRuns(group);
  return [...group.members.values()]
    .filter(({ status }) => status.includes('ALLOCATABLE'))
    .map(({ name, extentCount }) => {
      const free: ExtentRun[] = [];
      let at = 0;
      for (const { first, count } of [...(used.get(name) ?? []), { first: extentCount, count: 0 }]) {
        if (first > at) free.push({ member: name, first: at, count: first - at });
        at = Math.max(at, first + count);
      }
      return free.sort((one, other) => other.count - one.count);
    });
}

/** The extents that are free, allocatable or not: what a share of them is a share of. */
export function countFree(group: VolumeGroupText): number {
  const used = usedRuns(group);
  let free = 0;
  for (const { name, extentCount } of group.members.values())
    free += (used.get(name) ?? []).reduce((left, { count }) => left - count, extentCount);
  return free;
}

/** One more than the last extent in use of a physical volume. */
export function usedEnd(group: VolumeGroupText, member: string): number {
  return (usedRuns(group).get(member) ?? []).reduce(
    (end, { first, count }) => Math.max(end, first + count),
    0,
  );
}

/** The free runs while some are being taken. */
class Free {
  readonly #members: ExtentRun[][];

  constructor(group: VolumeGroupText) {
    this.#members = freeRuns(group);
  }

  get total(): number {
    return this.#members.flat().reduce((sum, { count }) => sum + count, 0);
  }

  /** The run that begins at an extent of a physical volume. */
  at(member: string, extent: number): ExtentRun | undefined {
    return this.#of(member)?.find(({ first }) => first === extent);
  }

  /** The largest run of each physical volume, in the order of the group. */
  largest(members?: ReadonlySet<string>): ExtentRun[] {
    return this.#members.flatMap(([run]) =>
      run === undefined || members?.has(run.member) === false ? [] : [run],
    );
  }

  /** Takes the first extents of a run. */
  take({ member, first, count }: ExtentRun, wanted: number): ExtentRun {
    const runs = this.#of(member) ?? [];
    const taken = Math.min(count, wanted);
    const index = runs.findIndex((run) => run.first === first);
    runs.splice(index, 1);
    if (taken < count) {
      runs.push({ member, first: first + taken, count: count - taken });
      runs.sort((one, other) => other.count - one.count);
    }
    return { member, first, count: taken };
  }

  #of(member: string): ExtentRun[] | undefined {
    return this.#members.find(([run]) => run?.member === member);
  }
}

/**
 * Extents for a volume that is new or grows, in the order of the volume. ENOSPC if there are not enough.
 */
export function allocate(group: VolumeGroupText, wanted: number, grown?: LogicalVolumeText): ExtentRun[] {
  const free = new Free(group);
  const { total } = free;
  if (wanted > total)
    throw new GuestfsError(
      'ENOSPC',
      `volume group ${group.name} has insufficient free space (${total} extents): ${wanted} required`,
    );
  const taken: ExtentRun[] = [];
  let left = wanted;
  const take = (run: ExtentRun): void => {
    work.entries.spend(1);
    const piece = free.take(run, left);
    left -= piece.count;
    taken.push(piece);
  };
  /** From the first of these physical volumes that has free extents, until none has. */
  const cling = (members: ReadonlySet<string>): void => {
    for (let [run] = free.largest(members); run !== undefined && left > 0; [run] = free.largest(members))
      take(run);
  };
  const last = grown?.segments.at(-1);
  const [stripe] = last?.stripes ?? [];
  if (last !== undefined && stripe !== undefined) {
    const next = free.at(stripe.name, stripe.extent + last.extentCount);
    if (next !== undefined) take(next);
    // lvm2 looks at the first segment alone when it asks what else the volume lies on.
    const [first] = grown?.segments[0]?.stripes ?? [];
    cling(new Set([...(first === undefined ? [] : [first.name]), ...taken.map(({ member }) => member)]));
  }
  // The first that is large enough, or else the largest.
  while (left > 0) {
    const [best] = free
      .largest()
      .sort((one, other) => Math.min(other.count, left) - Math.min(one.count, left));
    if (best === undefined)
      throw new GuestfsError('EIO', `volume group ${group.name}: free extents were miscounted`);
    take(best);
    cling(new Set(taken.map(({ member }) => member)));
  }
  return taken;
}
