/** The direct backend in tests: where it can be had, and how it is launched. */
import { findPlace } from '../../src/appliance/machine/appliance.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { needs } from './tools.js';

/** Set to anything, it has the tests boot the appliance, which takes many minutes in all. */
const wanted = 'GUESTFS_TEST_APPLIANCE';

/**
 * Options for a test that boots the appliance: skipped with a named reason where that is not wanted, or qemu or
 * libguestfs's files are missing.
 */
export function needsAppliance(): { skip?: string } {
  if (process.platform !== 'linux' || process.arch !== 'x64') return { skip: 'not Linux on x86-64' };
  if (process.env[wanted] === undefined) return { skip: `boots the appliance, for minutes: set ${wanted}=1` };
  const g = directHandle();
  const programs = needs(g.getHv(), 'supermin');
  if (programs.skip !== undefined) return programs;
  return findPlace(g.getPath()) === undefined ? { skip: `no appliance: nothing in ${g.getPath()}` } : {};
}

/** A handle on the direct backend. Without KVM: what it answers must not depend on the machine. */
export const directHandle = (): Guestfs => handleOn('direct');

/** A handle that begins embedded, and goes over to the appliance where it must. */
export const autoHandle = (): Guestfs => handleOn('auto');

function handleOn(backend: 'direct' | 'auto'): Guestfs {
  const g = new Guestfs({ environment: false, backend, stderr: null });
  g.setBackendSettings(['force_tcg']);
  return g;
}
