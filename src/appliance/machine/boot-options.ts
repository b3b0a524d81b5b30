/** The options of a start of the appliance, and its result. */
import type { BackendConfig, BackendEvents } from '../../api/index.js';
import type { GuestfsError } from '../../base/index.js';
import { overlayNode } from '../drives/blocks.js';
import type { Connection } from '../wire/connection.js';
import type { Appliance } from './appliance.js';
import type { Machine } from './machine.js';
import { type Accelerator, type Architecture, qemuArguments, rootNodes } from './qemu.js';
import type { UnfinishedSnapshot, UsableSnapshot } from './snapshot-store.js';

/** Time limits in milliseconds. */
export interface BootLimits {
  /** All of it. */
  readonly bootInMs: number;
  /** Nothing on the console. */
  readonly silenceInMs: number;
  /** With KVM: until qemu's monitor greets. */
  readonly kvmGreetingInMs: number;
  /** With KVM: from the start of the guest to its kernel's first line. */
  readonly kvmFirstLineInMs: number;
  /** With KVM: nothing on the console. */
  readonly kvmSilenceInMs: number;
  /** From a snapshot: until the first call is answered, without drives. */
  readonly resumeInMs: number;
  /** And so much more for each drive. */
  readonly driveInMs: number;
}

/** Ten minutes is libguestfs's own limit. With a working KVM, the kernel's first line comes within 0.3 seconds. */
export const usualLimits: BootLimits = {
  bootInMs: 600_000,
  silenceInMs: 180_000,
  kvmGreetingInMs: 5_000,
  kvmFirstLineInMs: 4_000,
  kvmSilenceInMs: 30_000,
  resumeInMs: 60_000,
  driveInMs: 3_000,
};

export interface BootOptions {
  readonly config: BackendConfig;
  readonly events: BackendEvents;
  readonly signal: AbortSignal | undefined;
  readonly architecture: Architecture;
  readonly accelerator: Accelerator;
  readonly appliance: Appliance;
  /** The program's path. */
  readonly hv: string;
  readonly gdb: boolean;
  readonly limits: BootLimits;
  /** The state to go on from. */
  readonly from?: UsableSnapshot;
  /** The state to make of this boot. */
  readonly keep?: UnfinishedSnapshot;
}

export interface Booted {
  readonly machine: Machine;
  readonly connection: Connection;
  /** Receives the connection's events once the launch is over. */
  readonly listeners: ConnectionListeners;
}

/** The connection's events. Nobody listens while the appliance boots. */
export interface ConnectionListeners {
  progress: (position: number, total: number) => void;
  broken: (error: GuestfsError) => void;
}

/** Steps of a launch, in twelfths as in the C library. */
export const launchSteps = { total: 12, found: 2, started: 3, kernel: 4, init: 7 } as const;

/** The files of the appliance's own disk above its image, topmost first. None exists if the plan is only compared. */
export interface RootLayers {
  readonly writes: string;
  /** Writes from before the snapshot. */
  readonly kept?: string;
}

/** The arguments for this start. Pure. */
export function argumentsFor(options: Omit<BootOptions, 'events' | 'signal'>, root: RootLayers): string[] {
  const { config, appliance, architecture, accelerator, gdb } = options;
  const image = {
    driver: 'raw',
    'node-name': rootNodes.image,
    'read-only': true,
    file: { driver: 'file', filename: appliance.root, 'read-only': true, locking: 'off' },
  };
  const layers =
    root.kept === undefined
      ? [image]
      : [
          image,
          {
            driver: 'qcow2',
            'node-name': rootNodes.kept,
            'read-only': true,
            file: { driver: 'file', filename: root.kept, 'read-only': true, locking: 'off' },
            backing: rootNodes.image,
          },
        ];
  const below = root.kept === undefined ? rootNodes.image : rootNodes.kept;
  return qemuArguments(
    {
      architecture,
      accelerator,
      kernel: appliance.kernel,
      initrd: appliance.initrd,
      rootUuid: appliance.rootUuid,
      memsizeInMegabytes: config.memsize,
      smp: config.smp,
      verbose: config.verbose,
      network: config.network,
      append: config.append,
      gdb,
      hvParams: config.hvParams,
      incoming: root.kept !== undefined,
    },
    [...layers, overlayNode(root.writes, below, rootNodes.writes)],
  );
}
