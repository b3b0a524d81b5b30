/** What there is on this machine: for the embedded engine, and for the appliance that a later version may use. */
import { accessSync, closeSync, constants, existsSync, openSync, readdirSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

/** One thing that was looked for. */
export interface Check {
  readonly name: string;
  /** `missing` does no harm to what is wanted now; `failed` does. */
  readonly status: 'ok' | 'missing' | 'failed';
  readonly detail: string;
  /** The Debian package that has it. */
  readonly package?: string;
}

/** The oldest Node that package.json allows. */
const leastNode = [20, 19] as const;

export function checkNode(version = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1]);
  const detail = isEnough ? version : `${version} is too old: ${leastNode.join('.')} is needed`;
  return { name: 'Node', status: isEnough ? 'ok' : 'failed', detail };
}

export function checkZstd(): Check {
  const name = 'zstd';
  if ('zstdDecompressSync' in zlib) return { name, status: 'ok', detail: 'by node:zlib' };
  try {
    createRequire(import.meta.url).resolve('zstddec');
    return { name, status: 'ok', detail: 'by WebAssembly: node:zlib of this Node has none' };
  } catch (thrown) {
    return {
      name,
      status: 'failed',
      detail: `the package zstddec is not installed: ${(thrown as Error).message}`,
    };
  }
}

/** Below this an overlay over a damaged or dirty filesystem may not fit. */
const leastSpaceInBytes = 64 * 2 ** 20;

export function checkTemporary(directory: string, showSize: (bytes: number) => string): Check {
  const name = 'temporary files';
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(directory);
    const free = bavail * bsize;
    const detail = `${directory}, ${showSize(free)} free`;
    return { name, status: free < leastSpaceInBytes ? 'failed' : 'ok', detail };
  } catch (thrown) {
    return { name, status: 'failed', detail: (thrown as Error).message };
  }
}

/** A program in the search path, and in the directories of programs for root, which a user's path may lack. */
function findProgram(name: string): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** How long a program may take to tell its version, in milliseconds. */
const versionPatienceInMs = 5000;

async function checkProgram(name: string, program: string, debianPackage: string): Promise<Check> {
  const path = findProgram(program);
  if (path === undefined) return { name, status: 'missing', detail: program, package: debianPackage };
  const { execFile } = await import('node:child_process');
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: versionPatienceInMs });
    const version = /[0-9]+(?:\.[0-9]+)+/.exec(stdout)?.[0] ?? 'of unknown version';
    return { name, status: 'ok', detail: `${path}, ${version}` };
  } catch (thrown) {
    return {
      name,
      status: 'missing',
      detail: `${path} does not run: ${(thrown as Error).message}`,
      package: debianPackage,
    };
  }
}

function checkKvm(): Check {
  const name = 'KVM';
  try {
    closeSync(openSync('/dev/kvm', constants.O_RDWR));
    return { name, status: 'ok', detail: '/dev/kvm can be opened; whether guests run is not tried' };
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    const why =
      code === 'EACCES' ? 'may not be opened by this user: the group kvm may' : `cannot be opened: ${code}`;
    return { name, status: 'missing', detail: `/dev/kvm ${why}` };
  }
}

const machines: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i386' };
const qemuPackages: Readonly<Record<string, string>> = {
  x64: 'qemu-system-x86',
  ia32: 'qemu-system-x86',
  arm64: 'qemu-system-arm',
};

/** Where the appliance is looked for: directories joined by colons. */
export function checkApplianceFiles(path: string): Check {
  const name = 'appliance files';
  const directories = path.split(':').filter((directory) => directory !== '');
  for (const directory of directories) {
    if (existsSync(join(directory, 'supermin.d')))
      return { name, status: 'ok', detail: `${join(directory, 'supermin.d')}, for supermin` };
    if (['kernel', 'initrd', 'root'].every((file) => existsSync(join(directory, file))))
      return { name, status: 'ok', detail: `${directory}, a fixed appliance` };
  }
  return { name, status: 'missing', detail: `none in ${directories.join(', ')}`, package: 'libguestfs0' };
}

export function checkKernel(directory = '/boot'): Check {
  const name = 'kernel';
  const debianPackage = 'linux-image-amd64';
  const kernels = existsSync(directory)
    ? readdirSync(directory).filter((file) => file.startsWith('vmlinuz-') || file.startsWith('vmlinux-'))
    : [];
  if (kernels.length === 0)
    return { name, status: 'missing', detail: `none in ${directory}`, package: debianPackage };
  const readable = kernels.filter((file) => {
    try {
      accessSync(join(directory, file), constants.R_OK);
      return true;
    } catch {
      return false;
    }
  });
  const [first] = readable;
  if (first === undefined)
    return {
      name,
      status: 'missing',
      detail: `${kernels[0]} in ${directory} may not be read by this user: chmod +r`,
    };
  return { name, status: 'ok', detail: join(directory, first) };
}

/** What the appliance would need. */
export async function checkAppliance(path: string): Promise<Check[]> {
  const machine = machines[process.arch] ?? process.arch;
  return [
    await checkProgram('qemu', `qemu-system-${machine}`, qemuPackages[process.arch] ?? 'qemu-system'),
    checkKvm(),
    await checkProgram('supermin', 'supermin', 'supermin'),
    checkApplianceFiles(path),
    checkKernel(),
  ];
}
