/** An open filesystem below the level of files: its devices, its addresses, and its trees. */
import { CorruptError, GuestfsError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { compatRo, itemTypes, objects, rootItem } from './layout.js';
import { ChunkMap, readChunks, systemChunks } from './space/chunks.js';
import { AddressSpace } from './space/space.js';
import { VerifiedData } from './space/verified.js';
import { readSuperblock, type Superblock } from './superblock.js';
import { lastOffset } from './tree/keys.js';
import { NodeStore } from './tree/store.js';
import { BTree, type TreeRoot } from './tree/tree.js';

/** How devices are opened. */
interface VolumeOptions {
  warn(message: string): void;
  /** Whether devices may be missing. */
  readonly degraded: boolean;
  /** Whether data is compared with its checksums. */
  readonly verify: boolean;
  /** Whether the logs of subvolumes count. */
  readonly replay: boolean;
}

/** EINVAL if devices are missing, unless that is allowed. */
function checkDevices(
  chunks: ChunkMap,
  devices: ReadonlyMap<number, Disk>,
  count: number,
  { degraded, warn }: VolumeOptions,
): void {
  const named = new Set(chunks.all.flatMap(({ stripes }) => stripes.map(({ device }) => device)));
  const missing = [...named].filter((device) => !devices.has(device)).sort((a, b) => a - b);
  if (missing.length === 0 && devices.size >= count) return;
  const which = missing.length === 0 ? '' : `: ${missing.join(', ')}`;
  const lacking = Math.max(missing.length, count - devices.size);
  const problem = `btrfs filesystem: of its ${count} devices ${lacking} are missing${which}`;
  if (!degraded) throw new GuestfsError('EINVAL', `${problem}: add them, or mount with the option degraded`);
  warn(`${problem}: what is on them alone cannot be read`);
}

export class BtrfsVolume {
  /** Of the device that was written last. */
  readonly superblock: Superblock;
  readonly warn: (message: string) => void;
  readonly space: AddressSpace;
  readonly chunkTree: BTree;
  /** The tree of trees. */
  readonly rootTree: BTree;
  /** Contents of files, by address. */
  readonly data: Disk;
  /** The logs that are to be replayed, by the numbers of their subvolumes. */
  readonly logs: ReadonlyMap<number, BTree>;
  readonly #nodes: NodeStore;

  constructor(disks: readonly Disk[], options: VolumeOptions) {
    const { warn } = options;
    this.warn = warn;
    const devices = new Map<number, Disk>();
    const superblocks: Superblock[] = [];
    for (const disk of disks) {
      const superblock = readSuperblock(disk, warn);
      superblocks.push(superblock);
      if (devices.has(superblock.deviceId))
        throw new CorruptError('btrfs filesystem', 'two of its disks are the same device: one is a copy', {
          device: superblock.deviceId,
        });
      devices.set(superblock.deviceId, disk);
    }
    const newest = superblocks.sort((a, b) => b.raw.generation - a.raw.generation)[0] as Superblock; // safe: one disk
    const { raw } = newest;
    this.superblock = newest;
    const boot = new AddressSpace(new ChunkMap(systemChunks(raw)), devices);
    const chunkRoot = {
      address: raw.chunk_root,
      level: raw.chunk_root_level,
      generation: raw.chunk_root_generation,
    };
    const bootTree = new BTree(new NodeStore(boot, newest, warn), chunkRoot, 'btrfs chunk tree');
    const chunks = readChunks(bootTree.items());
    checkDevices(chunks, devices, raw.num_devices, options);
    this.space = new AddressSpace(chunks, devices);
    this.#nodes = new NodeStore(this.space, newest, warn);
    this.chunkTree = new BTree(this.#nodes, chunkRoot, 'btrfs chunk tree');
    const { root: address, root_level: level, generation } = raw;
    this.rootTree = new BTree(this.#nodes, { address, level, generation }, 'btrfs root tree');
    this.logs = raw.log_root !== 0 && options.replay ? this.#logTrees() : new Map();
    const sums = options.verify ? this.findTree(objects.csumTree, 'btrfs checksum tree') : undefined;
    this.data = new VerifiedData(this.space, newest, sums, warn);
  }

  tree(root: TreeRoot, name: string): BTree {
    return new BTree(this.#nodes, root, name);
  }

  /** A tree that there is one of, by its number; undefined if it is not there. */
  findTree(id: number, name: string): BTree | undefined {
    const item = this.rootTree.floor(id, itemTypes.rootItem, lastOffset);
    if (item === undefined) return undefined;
    const { bytenr: address, level, generation } = rootItem.decode(item.view, item.start);
    return this.tree({ address, level, generation }, name);
  }

  #logTrees(): ReadonlyMap<number, BTree> {
    const { log_root: address, log_root_level: level, generation } = this.superblock.raw;
    const logs = new Map<number, BTree>();
    // The commit after the last one would have made the log needless.
    const all = this.tree({ address, level, generation: generation + 1 }, 'btrfs log root tree');
    for (const item of all.items(objects.treeLog, itemTypes.rootItem)) {
      const { bytenr, level: levels, generation: made } = rootItem.decode(item.view, item.start);
      logs.set(
        item.offset,
        this.tree({ address: bytenr, level: levels, generation: made }, `btrfs log of tree ${item.offset}`),
      );
    }
    return logs;
  }

  /** The tree that has the block groups. */
  get blockGroupTree(): BTree {
    const isOwn = (this.superblock.raw.compat_ro_flags_low & compatRo.blockGroupTree) !== 0;
    const [id, name] = isOwn
      ? [objects.blockGroupTree, 'btrfs block group tree']
      : [objects.extentTree, 'btrfs extent tree'];
    const tree = this.findTree(id, name);
    if (tree === undefined) throw new CorruptError(name, 'is missing');
    return tree;
  }

  close(): void {
    this.#nodes.clear();
  }
}
