/** One launch of the appliance without any drive, to see that it works and what it is. */
import type { BackendConfig, BackendEvents } from '../../api/index.js';
import type { ApplianceBackend } from '../backend.js';
import { startAppliance } from '../machine/launch.js';
import type { Accelerator } from '../machine/qemu.js';
import { countActions } from '../wire/compat.js';

export interface LaunchTrial {
  /** From nothing to a daemon that takes calls. */
  readonly seconds: number;
  /** By qemu's own word. */
  readonly accelerator: Accelerator;
  readonly qemuVersion: string;
  /** As exactly as the daemon lets one know. */
  readonly daemonVersion: string;
  /** How many actions are possible with it. */
  readonly actions: number;
  readonly allActions: number;
}

/** Launches, asks, and ends it. Rejects as a launch does, leaving nothing behind. */
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
