/**
 * What a job is: whole processes, ours and the peers', that do the same on the same image.
 *
 * A command is a shell line. `$I` is the directory of the images, `$T` a scratch directory on the same disk, `$M` one
 * in memory, and `$G` our command. What a line prints goes to /dev/null. Trees of files that it makes as `$T/tree.*` or
 * `$M/tree.*` are removed once it is done.
 */

/** A peer, how to see whether it is there, and how its version is asked for. */
export interface Peer {
  program: string;
  version: string;
  /** How often it runs; the slow ones less often. Default: as often as ours. */
  runs?: number;
}

export const peers = {
  libguestfs: { program: 'guestfish', version: 'guestfish --version', runs: 3 },
  debugfs: { program: 'debugfs', version: 'debugfs -V 2>&1 | head -1' },
  TSK: { program: 'fls', version: 'fls -V' },
  '7-Zip': { program: '7z', version: "7z i | grep -m1 '^7-Zip'" },
  'qemu-img': { program: 'qemu-img', version: 'qemu-img --version | head -1' },
  mke2fs: { program: 'mke2fs', version: 'mke2fs -V 2>&1 | head -1' },
  cp: { program: 'cp', version: 'cp --version | head -1' },
  tar: { program: 'tar', version: 'tar --version | head -1' },
  find: { program: 'find', version: 'find --version | head -1' },
  cat: { program: 'cat', version: 'cat --version | head -1' },
  /** What no command of ours can be quicker than: Node, and a thread that does nothing. */
  'Node and a thread': { program: 'node', version: 'node --version' },
  'btrfs restore': { program: 'btrfs', version: 'btrfs --version' },
  unsquashfs: { program: 'unsquashfs', version: 'unsquashfs -version | head -1' },
  /** The same by our own command from a qcow2 image. */
  'own qcow2': { program: 'node', version: 'node --version' },
  /** The same by our own command from ext4. */
  'own ext4': { program: 'node', version: 'node --version' },
  /** The same by our own command on the embedded backend, on which all other jobs are. */
  'own embedded': { program: 'node', version: 'node --version' },
} satisfies Record<string, Peer>;

export type PeerName = keyof typeof peers;

/**
 * A peer that no package registry of this project's machines has: its figures are those of another machine, and only
 * shown.
 */
export type ReferenceName = PeerName | 'dissect';

/** Ours must need at most `times` what the peer needs. */
export interface Bound {
  peer: ReferenceName;
  times: number;
  /** What is compared. Default: `seconds`. The time of the processors tells small differences apart. */
  clock?: 'seconds' | 'processorSeconds';
}

export interface Job {
  id: string;
  title: string;
  /** Jobs that are measured together, by `npm run bench -- GROUP`. */
  group?: 'formats' | 'auto' | 'write';
  /** Files in the directory of images that it needs: of real.sh, or of formats.sh below `formats`. */
  images: string[];
  ours: string;
  peers: Partial<Record<PeerName, string>>;
  /** Seconds that a peer needed on another machine, for peers that are not run here. Never part of a verdict. */
  reference?: Partial<Record<ReferenceName, number>>;
  must: Bound[];
  aim: Bound[];
  /** Run once before the job: prepares files in `$T`. */
  prepare?: string;
}

/**
 * Ours obeys these variables too, so they are set for libguestfs alone. Without `force_tcg` it hangs in nested
 * virtualisation.
 */
export const tcg = 'env LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg';
export const fish = `${tcg} guestfish --ro --format=`;
export const idleThread = `node -e 'new (require("node:worker_threads").Worker)("", { eval: true })'`;
export const readBig = (image: string) => `$G cat $I/${image}:/big.bin -m /dev/sda`;
