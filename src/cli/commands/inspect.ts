/** `guestfs inspect`: what is this guest? */
import type { Unreadable } from '../../api/index.js';
import type { GuestfsError } from '../../base/index.js';
import type { Command, Invocation } from '../command/invocation.js';
import { imageOptions, sizeOptions } from '../command/options.js';
import {
  describeFilesystems,
  type FilesystemFacts,
  filesystemJson,
  noteProblems,
} from '../guest/filesystem-facts.js';
import { filesystemLines } from '../guest/filesystem-table.js';
import { type Guest, withGuest } from '../guest/guest.js';
import { readOneImage } from '../guest/image-argument.js';
import { describeSystems, type OsFacts, packageVersionText, systemJson } from '../guest/os-facts.js';
import { attempt, failIfDamaged, listUnreadable, unreadableText } from '../guest/unreadable.js';
import { alignedLines, factLines } from '../terminal/table.js';
import { visible } from '../terminal/visible.js';

function versionText({ distro, type, majorVersion, minorVersion }: OsFacts): string {
  const number = majorVersion === 0 && minorVersion === 0 ? '' : ` ${majorVersion}.${minorVersion}`;
  return [type, distro === null ? undefined : `${distro}${number}`].filter(Boolean).join(', ');
}

function packagesText({ packages, packagesProblem, packageFormat, packageManagement }: OsFacts): string {
  const kind = packageFormat === null ? '' : ` ${packageFormat}`;
  const tool = packageManagement === null ? '' : ` (${packageManagement})`;
  if (packages !== undefined)
    return packages.length === 0 && kind === '' ? '' : `${packages.length}${kind}${tool}`;
  return `${kind.trim()}${tool}, cannot be listed: ${packagesProblem?.message}`.trim();
}

/** Some systems give only a number as their version name, as Debian does in its release file. */
function titleOf({ productName, distro, type }: OsFacts): string {
  const kind = distro ?? type ?? 'unknown operating system';
  const name = kind.charAt(0).toUpperCase() + kind.slice(1);
  if (productName === null) return name;
  return /^[0-9]/.test(productName) ? `${name} ${productName}` : productName;
}

function systemLines(facts: OsFacts, invocation: Invocation): string[] {
  const { paint, options } = invocation;
  const title = titleOf(facts);
  const mounts = [...facts.mountpoints].sort(([a], [b]) => (a < b ? -1 : 1));
  const all: [string, string | null][] = [
    ['Type', versionText(facts)],
    ['Variant', facts.productVariant],
    ['Architecture', facts.arch],
    ['Host name', facts.hostname],
    ['libosinfo name', facts.osinfo],
    ['Packages', packagesText(facts)],
  ];
  const shown = all.filter((fact): fact is [string, string] => fact[1] !== null && fact[1] !== '');
  const lines = [`${paint('bold', visible(title))} on ${visible(facts.root)}`];
  const places = alignedLines(
    mounts.map(([directory, mountable]) => [visible(directory), visible(mountable)]),
    [false, false],
  );
  lines.push(
    ...factLines(
      [...shown, ...places.map((line, index): [string, string] => [index === 0 ? 'Mount points' : '', line])],
      '  ',
    ),
  );
  if (options.flag('packages') && facts.packages !== undefined) {
    lines.push('', `${paint('bold', 'Packages')} of ${visible(title)}`);
    const rows = facts.packages.map((each) => [
      visible(each.name),
      visible(packageVersionText(each)),
      visible(each.arch),
    ]);
    lines.push(...alignedLines(rows, [false, false, false]).map((line) => `  ${line}`));
  }
  return lines;
}

interface Seen {
  readonly systems: readonly OsFacts[];
  readonly facts: readonly FilesystemFacts[];
  readonly unreadable: readonly Unreadable[];
  /** Why nothing, or not everything, was found; reported at the end. */
  readonly failure: GuestfsError | undefined;
}

/** The root of a system whose list of packages is damaged. */
const damagedPackages = ({ root, packagesProblem }: OsFacts) =>
  packagesProblem?.code === 'EIO' ? [{ device: root, code: packagesProblem.code }] : [];

/** Collects all facts. A part that cannot be read does not stop the others. */
async function look(guest: Guest): Promise<Seen> {
  const systems = await attempt(describeSystems(guest));
  const filesystems = await attempt(describeFilesystems(guest));
  const facts = filesystems.value ?? [];
  const told = await listUnreadable(guest);
  const known = new Set(told.map(({ device }) => device));
  const unmounted = facts.flatMap(({ device, type, problem }) =>
    problem === undefined || known.has(device)
      ? []
      : [{ device, type, code: problem.code, message: problem.message }],
  );
  // The backend has reported the others, or the failure does.
  noteProblems(
    guest.invocation,
    facts.filter(({ device }) => !known.has(device)),
  );
  return {
    systems: systems.value ?? [],
    facts,
    unreadable: [...told, ...unmounted],
    failure: systems.failure ?? filesystems.failure,
  };
}

export const inspect: Command = {
  options: {
    ...imageOptions,
    ...sizeOptions,
    packages: { type: 'flag', short: 'p' },
    json: { type: 'flag' },
  },
  async run(invocation) {
    const { options, out, paint } = invocation;
    const image = readOneImage(invocation.operands);
    const { systems, facts, unreadable, failure } = await withGuest(invocation, image, look);
    const damaged = [...unreadable, ...systems.flatMap(damagedPackages)];
    if (options.flag('json')) {
      await invocation.printJson({
        image,
        operatingSystems: systems.map(systemJson),
        filesystems: facts.map(filesystemJson),
        unreadable,
      });
      if (failure !== undefined) throw failure;
      return failIfDamaged(damaged);
    }
    const lines: string[] = [];
    for (const system of systems) lines.push(...systemLines(system, invocation), '');
    if (systems.length === 0)
      lines.push(`No operating system was found${unreadable.length > 0 ? ' on what can be read' : ''}.`, '');
    if (unreadable.length > 0)
      lines.push(...factLines([['Not read', visible(unreadableText(unreadable))]], ''), '');
    if (facts.length > 0) {
      lines.push(paint('bold', 'Filesystems'));
      lines.push(...filesystemLines(facts, invocation.sizeFormat, 'share').map((line) => `  ${line}`));
    } else lines.push('No filesystem was found.');
    await out.lines(lines);
    if (failure !== undefined) throw failure;
    failIfDamaged(damaged);
  },
};
