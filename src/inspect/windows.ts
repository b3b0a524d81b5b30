/** Windows and DOS, by their files. Names are found in any case, as on these systems. */
import { endsCall, GuestfsError } from '../base/index.js';
import { caseSensitivePath, Spellings, type Tree } from '../vfs/index.js';
import { fileArchitecture } from './architecture.js';
import type { Look } from './look.js';
import { findQuietly, readLines } from './text.js';
import { openHive, readSoftware, readSystem } from './windows-registry.js';

const usualSystemroots = ['/windows', '/winnt', '/win32', '/win', '/reactos'];

/** An inspected tree does not change, and many paths are looked up in it. */
const spellings = new WeakMap<Tree, Spellings>();

function spellingsOf(tree: Tree): Spellings {
  let known = spellings.get(tree);
  if (known === undefined) {
    known = new Spellings();
    spellings.set(tree, known);
  }
  return known;
}

/**
 * A path in the disk's spelling, with its file; undefined if nothing is there. `known`: what is kept of a tree that
 * does not change.
 */
export function findAnyCase(
  tree: Tree,
  path: string,
  known?: Spellings,
): { path: string; isFile: boolean; isDirectory: boolean } | undefined {
  let spelled: string;
  try {
    spelled = caseSensitivePath(tree, path, known);
  } catch (thrown) {
    const code = (thrown as { code?: unknown }).code;
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EINVAL'].includes(String(code))) return undefined;
    throw thrown;
  }
  const type = findQuietly(tree, spelled, false)?.type;
  return type && { path: spelled, isFile: type === 'file', isDirectory: type === 'directory' };
}

export function isFileAnyCase(tree: Tree, path: string): boolean {
  return findAnyCase(tree, path, spellingsOf(tree))?.isFile ?? false;
}

export function isDirectoryAnyCase(tree: Tree, path: string): boolean {
  return findAnyCase(tree, path, spellingsOf(tree))?.isDirectory ?? false;
}

function isSystemroot(tree: Tree, path: string): boolean {
  return (
    isDirectoryAnyCase(tree, `${path}/system32/config`) && isFileAnyCase(tree, `${path}/system32/cmd.exe`)
  );
}

/** The directory of Windows in the disk's spelling: one of the usual ones, or the one in boot.ini. */
export function findSystemroot(tree: Tree): string | undefined {
  for (const usual of [...usualSystemroots, ...bootIniRoots(tree)]) {
    const path = findAnyCase(tree, usual, spellingsOf(tree))?.path;
    if (path !== undefined && isSystemroot(tree, path)) return path;
  }
  return undefined;
}

/** More entries than the boot loader of Windows shows. */
const mostBootEntries = 64;

/**
 * `multi(0)disk(0)rdisk(0)partition(1)\WINDOWS="…"` below `[operating systems]`. The disk is assumed to be this one.
 */
function* bootIniRoots(tree: Tree): Iterable<string> {
  const path = findAnyCase(tree, '/boot.ini', spellingsOf(tree))?.path;
  const lines = (path === undefined ? undefined : readLines(tree, path)) ?? [];
  const start = lines.findIndex((line) => line.startsWith('[operating systems]'));
  if (start < 0) return;
  for (const line of lines.slice(start + 1, start + 1 + mostBootEntries)) {
    const [, root] =
      /^(?:multi|scsi)\([0-9]+\)disk\([0-9]+\)rdisk\([0-9]+\)partition\([0-9]+\)(\\[^=]{1,255})=/.exec(
        line,
      ) ?? [];
    if (root === undefined) return;
    yield root.replaceAll('\\', '/');
  }
}

/** Adds the facts from the files of a Windows system, and from its registry. */
export function readWindows({ tree, mountable, host, facts }: Look, systemroot: string): void {
  facts.type = 'windows';
  facts.distro = 'windows';
  facts.windowsSystemroot = systemroot;
  const told = (path: string, read: () => void): void => {
    try {
      read();
    } catch (thrown) {
      // A damaged file must not hide the system. Other errors are bugs, or the caller's cancellation.
      if (!(thrown instanceof GuestfsError) || endsCall(thrown)) throw thrown;
      host.warn?.(`${mountable}: ${path}: ${thrown.message}`);
    }
  };
  const program = findAnyCase(tree, `${systemroot}/system32/cmd.exe`, spellingsOf(tree))?.path;
  if (program !== undefined)
    told(program, () => {
      facts.arch = fileArchitecture(tree, program);
    });
  const software = hivePath(tree, `${systemroot}/system32/config/software`);
  const system = hivePath(tree, `${systemroot}/system32/config/system`);
  facts.windowsSoftwareHive = software;
  facts.windowsSystemHive = system;
  // As in libguestfs: a system without one of them is not asked about the other.
  if (software === undefined || system === undefined) return;
  told(software, () => readSoftware(openHive(tree, software), facts));
  told(system, () => readSystem(openHive(tree, system), facts, host));
}

function hivePath(tree: Tree, path: string): string | undefined {
  const found = findAnyCase(tree, path, spellingsOf(tree));
  return found?.isFile ? found.path : undefined;
}
