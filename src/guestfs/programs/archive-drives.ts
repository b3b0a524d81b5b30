/** The drives that files of the host amount to: an archive with several disks (an OVA) is as many of them. */
import { fileURLToPath } from 'node:url';
import type { HostPath } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import { imageContainer } from '../../engine/index.js';

/** A file, and which disk of it where it is an archive with several. */
export interface FileDrive<File> {
  readonly file: File;
  readonly member?: string;
}

async function membersOf(file: HostPath | URL): Promise<readonly string[]> {
  try {
    return (await imageContainer(file instanceof URL ? fileURLToPath(file) : file))?.members ?? [];
  } catch (thrown) {
    // What is wrong with a file or its name is told by add_drive and the launch, which open it too.
    if (thrown instanceof GuestfsError || thrown instanceof TypeError) return [];
    throw thrown;
  }
}

/**
 * The drives of a machine whose disks are in these files, in their order; those of an OVA in the order of its
 * descriptor. `format`: that of the first file, which then is no archive.
 */
export async function drivesOfFiles<File extends HostPath | URL>(
  files: readonly File[],
  format: string | undefined,
): Promise<FileDrive<File>[]> {
  const drives: FileDrive<File>[] = [];
  for (const [index, file] of files.entries()) {
    const isPlain = (index === 0 && format !== undefined) || file === '/dev/null';
    const members = isPlain ? [] : await membersOf(file);
    if (members.length > 1) drives.push(...members.map((member) => ({ file, member })));
    else drives.push({ file });
  }
  return drives;
}
