/** Checks of this machine for the direct backend, with the settings from the environment. */
import type { CallControls } from '../api/index.js';
import type { CheckResult, LaunchTrial } from '../appliance/index.js';
import { backendConfig } from './backend-config.js';
import { applyEnvironment } from './environment.js';
import { ProgressReporter, systemClock } from './events/progress.js';
import { Settings } from './settings.js';

export type { CheckResult, LaunchTrial } from '../appliance/index.js';

function environmentSettings(): Settings {
  const settings = new Settings();
  applyEnvironment(settings, process.env, true);
  return settings;
}

export interface DirectExaminationOptions {
  readonly signal?: AbortSignal | undefined;
  /** How sizes are written in the details. */
  readonly showSize: (bytes: number) => string;
}

/**
 * Checks everything that the direct backend needs or uses, without booting it and without changing anything. A guest
 * with only a kernel is tried under KVM, for at most five seconds. Rejects with GuestfsError for an invalid
 * environment variable, and if cancelled.
 */
export async function examineDirect(options: DirectExaminationOptions): Promise<readonly CheckResult[]> {
  const settings = environmentSettings();
  const { checkAppliance } = await import('../appliance/index.js');
  return await checkAppliance(settings, options);
}

export interface DirectTrialOptions extends CallControls {
  /** Hears what the backend says of itself. */
  readonly onLog: (kind: 'appliance' | 'library' | 'warning', message: string) => void;
}

/** Launches the appliance without drives, asks it for its facts, and shuts it down. Rejects as a launch does. */
export async function tryDirect({ signal, onProgress, onLog }: DirectTrialOptions): Promise<LaunchTrial> {
  const config = backendConfig(environmentSettings(), [], 'untrusted', {});
  const { tryLaunch } = await import('../appliance/index.js');
  const reporter = new ProgressReporter({
    clock: systemClock,
    procNr: 0,
    serial: 0,
    listens: () => onProgress !== undefined,
    send: (progress) => onProgress?.(progress),
  });
  const events = {
    progress: (position: number, total: number): void => reporter.report(position, total),
    log: onLog,
    quit: (): void => {},
  };
  try {
    const trial = await tryLaunch(config, events, signal);
    reporter.finish(true);
    return trial;
  } catch (thrown) {
    reporter.finish(false);
    throw thrown;
  }
}
