/** `guestfs tar-out`: a directory as an archive. */
import { usageFailure } from '../command/failure.js';
import type { Command, Invocation } from '../command/invocation.js';
import { guestOptions, progressOptions } from '../command/options.js';
import { withLittleInlining } from '../guest/compiling.js';
import { withPath } from '../guest/guest-not-found.js';
import { splitImageArgument } from '../guest/image-argument.js';
import { withMountedGuest } from '../guest/mounting.js';
import { makeFile } from '../host/host-files.js';

const compressions = ['gzip', 'zstd', 'xz', 'bzip2', 'none'];

/** The name endings of compressed archives. */
const endings: readonly (readonly [RegExp, string])[] = [
  [/\.(tgz|tar\.gz)$/i, 'gzip'],
  [/\.(tzst|tar\.zst)$/i, 'zstd'],
  [/\.(txz|tar\.xz)$/i, 'xz'],
  [/\.(tbz2?|tar\.bz2)$/i, 'bzip2'],
];

/** Name endings of other archives and compressions, and of files that are no archives: these cannot be written. */
const otherEnding =
  /\.(zip|7z|rar|jar|cpio|iso|squashfs|sqfs|img|raw|qcow2|gz|bz2|xz|zst|lzma|tlz|lz|lz4|lzo|tzo|Z|taz|br)$/i;

/**
 * The compression that was asked for, or that the archive's name stands for; undefined for none. Throws a usage
 * failure for a name that stands for another format, unless the compression was asked for. For tests.
 */
export function compressionOf(file: string, given: string | undefined): string | undefined {
  const chosen = given ?? endings.find(([ending]) => ending.test(file))?.[1];
  const [other] = otherEnding.exec(file) ?? [];
  if (chosen === undefined && other !== undefined)
    throw usageFailure(
      `${file}: what is written is a tar archive, and a name in ${other} promises something else`,
      'end the name in .tar, .tar.gz or .tar.zst, or say by -z how to compress, -z none for not at all',
    );
  return chosen === 'none' ? undefined : chosen;
}

interface Operands {
  readonly image: string;
  readonly directory: string;
  readonly file: string;
}

/** `IMAGE:/dir FILE`, `IMAGE /dir FILE`; without a FILE standard output. */
function readOperands([first, ...rest]: readonly string[]): Operands {
  if (first === undefined)
    throw usageFailure('an image is missing', 'write guestfs tar-out IMAGE:/dir FILE.tar');
  const { image, path } = splitImageArgument(first);
  const [directory, file = '-', ...more] = path === undefined ? rest : [path, ...rest];
  if (directory?.startsWith('/') !== true)
    throw usageFailure(
      'a directory inside the image is missing',
      `write guestfs tar-out ${image}:/dir FILE.tar`,
    );
  if (more.length > 0)
    throw usageFailure(`${more[0]} is too much`, 'one directory, and one file for the archive');
  return { image, directory, file };
}

export const tarOut: Command = {
  options: {
    ...guestOptions,
    ...progressOptions,
    compress: { type: 'choice', choices: compressions, short: 'z' },
    exclude: { type: 'list' },
    'numeric-owner': { type: 'flag' },
    xattrs: { type: 'flag' },
    selinux: { type: 'flag' },
    acls: { type: 'flag' },
  },
  async run(invocation: Invocation) {
    const { options, out } = invocation;
    const { image, directory, file } = readOperands(invocation.operands);
    if (file === '-' && out.isTerminal)
      throw usageFailure(
        'an archive is not written to a terminal',
        'name a file, or put it into a pipe: ... - | tar tv',
      );
    const compress = compressionOf(file, options.text('compress'));
    const excludes = options.list('exclude');
    const tarOptions = {
      ...(compress === undefined ? {} : { compress }),
      ...(excludes.length === 0 ? {} : { excludes }),
      numericowner: options.flag('numeric-owner'),
      xattrs: options.flag('xattrs'),
      selinux: options.flag('selinux'),
      acls: options.flag('acls'),
    };
    await withMountedGuest(invocation, image, async (guest) => {
      const pack = (sink: string | WritableStream<Uint8Array>): Promise<void> =>
        withPath(guest, directory, () =>
          invocation.withProgress(directory, 'bytes', (controls) =>
            withLittleInlining(() => guest.g.tarOut(directory, sink, { ...tarOptions, ...controls })),
          ),
        );
      if (file === '-') await pack(out.sink());
      else await makeFile(file, pack);
    });
  },
};
