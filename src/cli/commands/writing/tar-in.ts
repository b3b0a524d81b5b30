/** `guestfs tar-in`: an archive into a directory of a guest. */
import { usageFailure } from '../../command/failure.js';
import type { Command } from '../../command/invocation.js';
import { progressOptions } from '../../command/options.js';
import { changeGuest, changingOptions } from '../../guest/changing.js';
import { withPath } from '../../guest/guest-not-found.js';
import { splitImageArgument } from '../../guest/image-argument.js';
import { standardInput } from './write.js';

const compressions = ['gzip', 'xz', 'zstd', 'bzip2', 'lzop', 'compress', 'none'];

/** The name endings of compressed archives. */
const endings: readonly (readonly [RegExp, string])[] = [
  [/\.(tgz|gz)$/i, 'gzip'],
  [/\.(txz|xz)$/i, 'xz'],
  [/\.(tzst|zst)$/i, 'zstd'],
  [/\.(tbz2?|bz2)$/i, 'bzip2'],
  [/\.(tzo|lzo)$/i, 'lzop'],
  [/\.(taz|Z)$/, 'compress'],
];

/** `FILE IMAGE:/dir`, `FILE IMAGE /dir`. */
function readOperands([file, operand, ...rest]: readonly string[]) {
  if (file === undefined || operand === undefined)
    throw usageFailure('an archive and an image are needed', 'write guestfs tar-in --rw FILE.tar IMAGE:/dir');
  const { image, path } = splitImageArgument(operand);
  const [directory, ...more] = path === undefined ? rest : [path, ...rest];
  if (directory?.startsWith('/') !== true)
    throw usageFailure(
      'a directory inside the image is missing',
      `write guestfs tar-in --rw ${file} ${image}:/dir`,
    );
  if (more.length > 0) throw usageFailure(`${more[0]} is too much`, 'one archive, and one directory for it');
  return { file, image, directory };
}

export const tarIn: Command = {
  options: {
    ...changingOptions,
    ...progressOptions,
    compress: { type: 'choice', choices: compressions, short: 'z' },
    parents: { type: 'flag', short: 'p' },
    xattrs: { type: 'flag' },
    selinux: { type: 'flag' },
    acls: { type: 'flag' },
    'keep-dirlink': { type: 'flag' },
  },
  async run(invocation) {
    const { options, operands } = invocation;
    const { file, image, directory } = readOperands(operands);
    const chosen = options.text('compress') ?? endings.find(([ending]) => ending.test(file))?.[1] ?? 'none';
    const given = {
      ...(chosen === 'none' ? {} : { compress: chosen }),
      xattrs: options.flag('xattrs'),
      selinux: options.flag('selinux'),
      acls: options.flag('acls'),
      keepdirlink: options.flag('keep-dirlink'),
    };
    await changeGuest(invocation, image, 'unpacked into', (changes) =>
      changes.attempt(async () => {
        const { guest } = changes;
        if (options.flag('parents')) await guest.g.mkdirP(directory, guest.controls);
        const source = file === '-' ? standardInput() : file;
        await withPath(guest, directory, () =>
          invocation.withProgress(directory, 'bytes', (controls) =>
            guest.g.tarIn(source, directory, { ...given, ...controls }),
          ),
        );
        return directory;
      }),
    );
  },
};
