/**
 * Archives of trees. The daemon's programs know nothing of what will come, so that it has no progress of them but
 * pulses: here the progress is in bytes of the archive, of as many as a walk of the tree tells.
 */
import type { ActionName, TreeListing } from '../../api/index.js';
import { encodeText, GuestfsError, typeOfMode } from '../../base/index.js';
import { excluder } from '../../formats/index.js';
import type { Composites, LibraryCall } from './call.js';
import { walk } from './walk.js';

/** How long an archive of some format is. */
interface ArchiveLengths {
  /** An entry, with its contents. The lengths are those of its name, and of what a link leads to. */
  entry(nameInBytes: number, targetInBytes: number, sizeInBytes: number): number;
  /** What ends it. */
  readonly end: number;
  /** Its length is a multiple of this. */
  readonly unit: number;
}

const roundUp = (length: number, unit: number): number => Math.ceil(length / unit) * unit;

/** tar(5), "GNU tar Archives": a name that a header has no place for is an entry of its own in front. */
const tarLengths: ArchiveLengths = {
  entry: (nameInBytes, targetInBytes, sizeInBytes) =>
    512 +
    [nameInBytes, targetInBytes].reduce(
      (sum, text) => sum + (text > 100 ? 512 + roundUp(text + 1, 512) : 0),
      0,
    ) +
    roundUp(sizeInBytes, 512),
  end: 1024,
  unit: 10_240,
};

/** cpio(5), "New ASCII Format". What a link leads to are its contents. */
const newcLengths: ArchiveLengths = {
  entry: (nameInBytes, targetInBytes, sizeInBytes) =>
    roundUp(110 + nameInBytes + 1, 4) + roundUp(targetInBytes + sizeInBytes, 4),
  end: 124,
  unit: 512,
};

interface ArchiveOptions {
  readonly excludes?: readonly string[] | undefined;
  /** Whether the contents of a file with several names are read again for each further name. */
  readonly readsAgain?: boolean;
}

/** The bytes of an archive of everything below a directory, whose entry is the first. */
function archiveLength(
  { count, paths, columns }: TreeListing,
  { entry, end, unit }: ArchiveLengths,
  { excludes = [], readsAgain = false }: ArchiveOptions,
): number {
  const isExcluded = excluder(excludes);
  const seen = new Set<string>();
  let again = 0;
  let length = entry(2, 0, 0);
  for (let index = 0, at = 0; index < count; index++) {
    const end = paths.indexOf('\0', at);
    const name = `./${paths.slice(at, end)}`;
    at = end + 1;
    if (isExcluded(name)) continue;
    const of = (column: keyof typeof columns): number => columns[column][index] ?? 0;
    const type = typeOfMode(of('mode'));
    const identity = `${of('device')} ${of('inode')}`;
    const isFurtherName = type !== 'directory' && of('linkCount') > 1 && seen.has(identity);
    if (type !== 'directory' && of('linkCount') > 1) seen.add(identity);
    const size = of('size');
    const nameInBytes = encodeText(name).length + (type === 'directory' ? 1 : 0);
    const contents = type === 'file' && !isFurtherName ? size : 0;
    if (type === 'file' && isFurtherName && readsAgain) again += size;
    length += entry(nameInBytes, type === 'symlink' ? size : 0, contents);
  }
  return roundUp(length + end, unit) + again;
}

/**
 * Follows an archive by the bytes that come of it, where somebody listens: walks the tree, and gives what gets the
 * sizes of the pieces. Undefined where nobody listens, or nothing can be told in advance.
 */
async function follow(
  call: LibraryCall,
  directory: string,
  lengths: ArchiveLengths,
  options: ArchiveOptions,
): Promise<((bytes: number) => void) | undefined> {
  const { progress } = call;
  if (progress === undefined) return undefined;
  let total: number;
  try {
    total = archiveLength(await walk(call, directory), lengths, options);
  } catch (thrown) {
    // Whatever is wrong, the archive's own procedure meets it, and has the words for it.
    if (!(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') throw thrown;
    return undefined;
  }
  let position = 0;
  progress(position, total);
  return (bytes) => {
    position += bytes;
    progress(position, total);
  };
}

/** Follows a tar archive that the daemon makes; see {@link follow}. */
export const followTar = (
  call: LibraryCall,
  directory: string,
  options: ArchiveOptions = {},
): Promise<((bytes: number) => void) | undefined> => follow(call, directory, tarLengths, options);

/** These are the daemon's procedures, with progress of their own. */
export const archiveActions = {
  tar_out: async (call, directory, archive, options) => {
    // How much of a compressed archive has come says nothing of what was read for it.
    const received =
      options.compress === undefined
        ? await followTar(call, directory, { excludes: options.excludes })
        : undefined;
    await call.daemon('tar_out', [directory, archive], options, received);
  },
  cpio_out: async (call, directory, archive, options) => {
    const received = await follow(call, directory, newcLengths, {});
    await call.daemon('cpio_out', [directory, archive], options, received);
  },
} satisfies Partial<Composites<ActionName>>;
