/** The answers of inspection about an operating system. */
import type { Structs } from '../../api/index.js';
import type { OsInfo } from '../../guestfs/index.js';
import type { Guest } from './guest.js';
import { mountRoot } from './mounting.js';
import { type Problem, problemOf } from './unreadable.js';

interface Package {
  readonly name: string;
  readonly epoch: number;
  readonly version: string;
  readonly release: string;
  readonly arch: string;
  readonly summary: string;
  readonly sourcePackage: string;
}

export interface OsFacts extends OsInfo {
  /** undefined where they cannot be listed. */
  readonly packages: readonly Package[] | undefined;
  /** Why they cannot. */
  readonly packagesProblem: Problem | undefined;
}

function packageOf(application: Structs['application2']): Package {
  return {
    name: application.app2Name,
    epoch: application.app2Epoch,
    version: application.app2Version,
    release: application.app2Release,
    arch: application.app2Arch,
    summary: application.app2Summary,
    sourcePackage: application.app2SourcePackage,
  };
}

/** `1:2.3-4`. */
export function packageVersionText({ epoch, version, release }: Package): string {
  return `${epoch > 0 ? `${epoch}:` : ''}${version}${release === '' ? '' : `-${release}`}`;
}

async function listPackages(
  guest: Guest,
  root: string,
): Promise<Pick<OsFacts, 'packages' | 'packagesProblem'>> {
  const { g, controls } = guest;
  try {
    await mountRoot(guest, root);
    const applications = await g.inspectListApplications2(root, controls);
    return { packages: applications.map(packageOf), packagesProblem: undefined };
  } catch (thrown) {
    return { packages: undefined, packagesProblem: problemOf(thrown) };
  } finally {
    await g.umountAll();
  }
}

async function describeRoot(guest: Guest, root: string): Promise<OsFacts> {
  const { g, controls } = guest;
  return { ...(await g.osInfo(root, controls)), ...(await listPackages(guest, root)) };
}

/** Every operating system of the image. Nothing may be mounted before, and nothing is mounted afterwards. */
export async function describeSystems(guest: Guest): Promise<OsFacts[]> {
  const systems: OsFacts[] = [];
  for (const root of await guest.g.inspectOs(guest.controls)) systems.push(await describeRoot(guest, root));
  return systems;
}

/** A package as JSON: null for facts that its format lacks. */
function packageJson({ release, arch, summary, sourcePackage, ...certain }: Package) {
  const orNull = (text: string): string | null => (text === '' ? null : text);
  return {
    ...certain,
    release: orNull(release),
    arch: orNull(arch),
    summary: orNull(summary),
    sourcePackage: orNull(sourcePackage),
  };
}

/** An operating system as JSON has it. */
export function systemJson({
  packages,
  packagesProblem,
  mountpoints,
  buildId: _buildId,
  driveMappings: _driveMappings,
  windowsSystemroot: _windowsSystemroot,
  ...facts
}: OsFacts) {
  return {
    ...facts,
    // An object without a prototype, because a guest's fstab may name a directory `__proto__`.
    mountpoints: Object.assign(Object.create(null), Object.fromEntries(mountpoints)),
    packages: packages?.map(packageJson) ?? null,
    packagesProblem: packagesProblem?.message ?? null,
  };
}
