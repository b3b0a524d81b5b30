/** Launches the appliance once, without any drive, to see that it works and which version it is. */
import type { BackendConfig, BackendEvents } from '../../api/index.js';
import type { ApplianceBackend } from '../backend.js';
import { startAppliance } from '../machine/launch.js';
import type { Accelerator } from '../machine/qemu.js';
import { countActions } from '../wire/compat.js';

export interface LaunchTrial {
  /** From the start to a daemon that takes calls. */
  readonly seconds: number;
  /** By qemu's own word. */
  readonly accelerator: Accelerator;
  readonly qemuVersion: string;
  /** The version as exactly as the daemon shows it. */
  readonly daemonVersion: string;
  /** How many actions are possible with it. */
  readonly actions: number;
  readonly allActions: number;
}

/** Launches, asks the daemon, and shuts down. Rejects as a launch does, and leaves nothing behind. */
export async function tryLaunch(
  config: BackendConfig,
  events: BackendEvents,
  signal?: AbortSignal,
): Promise<LaunchTrial> {
  const start = performance.now();
  const backend = (await startAppliance(config, events, signal)) as ApplianceBackend; // safe: it starts no other
  const seconds = (performance.now() - start) / 1000;
  try {
    const { accelerator, qemuVersion, daemon } = await backend.describe();
    const { possible, all } = countActions(daemon);
    return {
      seconds,
      accelerator,
      qemuVersion,
      daemonVersion: daemon.name,
      actions: possible,
      allActions: all,
    };
  } finally {
    await backend.shutdown();
  }
}
