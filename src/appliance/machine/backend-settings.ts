/** The backend settings that this backend knows. Settings of other backends are ignored, as in the C library. */
import { GuestfsError, readTruth } from '../../base/index.js';

export interface BackendSettings {
  readonly forceTcg: boolean;
  readonly forceKvm: boolean;
  readonly gdb: boolean;
  /** Always boots, whatever state was kept. */
  readonly noSnapshotStart: boolean;
}

/**
 * Reads `NAME` and `NAME=VALUE`; the first setting of a name counts. Throws GuestfsError (EINVAL) if two exclude each
 * other.
 */
export function readBackendSettings(settings: readonly string[]): BackendSettings {
  const isSet = (name: string): boolean => {
    const found = settings.find((setting) => setting === name || setting.startsWith(`${name}=`));
    if (found === undefined) return false;
    return found === name || readTruth(found.slice(name.length + 1)) === true;
  };
  const forceTcg = isSet('force_tcg');
  const forceKvm = isSet('force_kvm');
  if (forceTcg && forceKvm)
    throw new GuestfsError('EINVAL', 'the backend settings force_tcg and force_kvm exclude each other');
  return { forceTcg, forceKvm, gdb: isSet('gdb'), noSnapshotStart: isSet('no_snapshot_start') };
}
