/**
 * `inspect_list_applications2`: the installed packages of a guest, from the database of its package manager. The
 * guest's filesystems must be mounted.
 */
import { application2Struct, type Structs } from '../../api/index.js';
import { CorruptError, compareBytewise, systemError } from '../../base/index.js';
import {
  ApkReader,
  type Application,
  apkFiles,
  DpkgReader,
  dpkgFiles,
  isDpkgStatus,
  type PackagedGuest,
  packageDatabaseLimit,
  packageLimit,
  pacmanApplication,
  pacmanDirectory,
  requireListablePackages,
  rpmDatabases,
  uninstallKeys,
} from '../../formats/index.js';
import { failedWith, type LibraryCall } from './call.js';
import { linesOf, readGuestFile } from './contents.js';
import { listingActions } from './listing.js';

type Application2 = Structs['application2'];

/** Sorted by the bytes of their names. Empty for a system that is known to have no packages. */
export async function listApplications(call: LibraryCall, root: string): Promise<Application2[]> {
  const type = await call.daemon('inspect_get_type', [root]);
  const distro = await call.daemon('inspect_get_distro', [root]);
  const told = await call.daemon('inspect_get_package_format', [root]);
  // The daemon judges by the distribution. For an unknown distribution, the format is found from the database.
  const packageFormat = told === 'unknown' && isUnix(type) ? await formatByDatabase(call) : told;
  const applications = await list(call, root, { type, distro, packageFormat });
  return applications.sort((a, b) => compareBytewise(a.app2Name, b.app2Name));
}

const isUnix = (type: string): boolean => type === 'linux' || type === 'hurd';

/** The format of the database that exists, if it can be listed. */
async function formatByDatabase(call: LibraryCall): Promise<string> {
  const isFile = async (path: string) => await call.daemon('is_file', [path], { followsymlinks: true });
  const isDirectory = async (path: string) => await call.daemon('is_dir', [path], { followsymlinks: true });
  if ((await isFile(dpkgFiles.status)) || (await isDirectory(dpkgFiles.directory))) return 'deb';
  for (const path of rpmDatabases) if (await isFile(path)) return 'rpm';
  for (const path of apkFiles) if (await isFile(path)) return 'apk';
  return (await isDirectory(pacmanDirectory)) ? 'pacman' : 'unknown';
}

async function list(call: LibraryCall, root: string, guest: PackagedGuest): Promise<Application2[]> {
  if (guest.type === 'windows') return await listWindows(call, root);
  switch (guest.packageFormat) {
    case 'deb':
      return inStructs(await listDpkg(call));
    case 'apk':
      return inStructs(await listApk(call));
    case 'pacman':
      return inStructs(await listPacman(call));
    case 'rpm':
      return await call.internal('internal_list_rpm_applications', []);
    default:
      requireListablePackages(guest);
      return [];
  }
}

const inStructs = (applications: readonly Application[]): Application2[] =>
  applications.map((application) => application2Struct(application));

/** What takes a database line by line. */
interface LineReader {
  line(line: string): void;
  end(): void;
}

/** Passes a file's lines to a reader; false if the file does not exist. */
async function readInto(call: LibraryCall, path: string, reader: LineReader): Promise<boolean> {
  let bytes: Buffer;
  try {
    bytes = await readGuestFile(call, path, packageDatabaseLimit);
  } catch (thrown) {
    if (failedWith(thrown, 'ENOENT', 'ENOTDIR')) return false;
    throw thrown;
  }
  for (const line of linesOf(bytes)) reader.line(line);
  reader.end();
  return true;
}

async function listDpkg(call: LibraryCall): Promise<Application[]> {
  const reader = new DpkgReader(true);
  if (await readInto(call, dpkgFiles.status, reader)) return reader.applications;
  if (!(await call.daemon('is_dir', [dpkgFiles.directory], { followsymlinks: true })))
    throw systemError('ENOENT', dpkgFiles.status);
  const parts = new DpkgReader(false);
  for (const name of await listingActions.ls(call, dpkgFiles.directory)) {
    const path = `${dpkgFiles.directory}/${name}`;
    if (isDpkgStatus(name) && (await call.daemon('is_file', [path]))) await readInto(call, path, parts);
  }
  return parts.applications;
}

async function listApk(call: LibraryCall): Promise<Application[]> {
  for (const path of apkFiles) {
    const reader = new ApkReader();
    if (await readInto(call, path, reader)) return reader.applications;
  }
  throw systemError('ENOENT', apkFiles[0]);
}

/** A `desc` is some hundred lines. */
const descLimit = 2 * 1024 * 1024;

async function listPacman(call: LibraryCall): Promise<Application[]> {
  const names = await listingActions.ls(call, pacmanDirectory);
  if (names.length > packageLimit)
    throw new CorruptError('pacman database', 'lists too many packages', { packageLimit });
  const applications: Application[] = [];
  for (const name of names) {
    try {
      const lines = linesOf(await readGuestFile(call, `${pacmanDirectory}/${name}/desc`, descLimit));
      const application = pacmanApplication(lines);
      if (application !== undefined) applications.push(application);
    } catch (thrown) {
      // Some entries are no packages. The version is in a file of its own.
      if (!failedWith(thrown, 'ENOENT', 'ENOTDIR', 'EFBIG')) throw thrown;
    }
  }
  return applications;
}

async function listWindows(call: LibraryCall, root: string): Promise<Application2[]> {
  const hive = await call.daemon('inspect_get_windows_software_hive', [root]);
  await call.daemon('hivex_open', [hive], { unsafe: true });
  try {
    const applications: Application2[] = [];
    for (const path of uninstallKeys) {
      let node = await call.daemon('hivex_root', []);
      for (const name of path) if (node !== 0) node = await call.daemon('hivex_node_get_child', [node, name]);
      if (node === 0) continue;
      for (const { hivexNodeH } of await call.daemon('hivex_node_children', [node])) {
        const application = await windowsApplication(call, hivexNodeH);
        if (application !== undefined) applications.push(application);
      }
    }
    return applications;
  } finally {
    await call.daemon('hivex_close', []);
  }
}

/**
 * A program with a display name. The key's name becomes its name, because the display name is in the guest's
 * language.
 */
async function windowsApplication(call: LibraryCall, node: number): Promise<Application2 | undefined> {
  const value = async (key: string): Promise<string | undefined> => {
    const found = await call.daemon('hivex_node_get_value', [node, key]);
    return found === 0 ? undefined : await call.daemon('hivex_value_string', [found]);
  };
  const displayName = await value('DisplayName');
  if (displayName === undefined) return undefined;
  return application2Struct({
    name: await call.daemon('hivex_node_name', [node]),
    epoch: 0,
    version: (await value('DisplayVersion')) ?? '',
    release: '',
    arch: '',
    url: (await value('URLInfoAbout')) ?? '',
    sourcePackage: '',
    summary: '',
    description: (await value('Comments')) ?? '',
    program: {
      displayName,
      installPath: (await value('InstallLocation')) ?? '',
      publisher: (await value('Publisher')) ?? '',
    },
  });
}
