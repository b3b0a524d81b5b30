/** `IMAGE:/path`, as scp writes it: separates the file of the host from the path inside it. */
import { statSync } from 'node:fs';
import { usageFailure } from '../command/failure.js';

/** What an operand names. */
interface ImageArgument {
  readonly image: string;
  /** Absolute, inside the image; undefined where only the image is named. */
  readonly path: string | undefined;
}

/** Whether something on the host can be an image, so is no directory. False if the host cannot be asked. */
export function isImageFile(path: string): boolean {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    return status !== undefined && !status.isDirectory();
  } catch {
    return false; // ENOTDIR, ENAMETOOLONG, EACCES: opening it will tell, if it comes to that
  }
}

/** Whether a word looks like a file name and not like a command: it has a directory or an ending. */
export const looksLikeFile = (word: string): boolean => /[/\\.]/.test(word);

/** A letter, a colon, a slash: on Windows a drive of the host, rather than an image with a name of one letter. */
const windowsDrive = /^[A-Za-z]:[\\/]/;

/**
 * Splits an operand. A colon may also be part of a file's name: if a file with the whole name exists, it is the
 * image; else the image is the shortest beginning before a `:/` that exists. If none exists, the operand is split at
 * the first `:/`, and opening the image then reports that it is missing.
 */
export function splitImageArgument(
  operand: string,
  exists: (path: string) => boolean = isImageFile,
  platform: string = process.platform,
): ImageArgument {
  if (exists(operand)) return { image: operand, path: undefined };
  const start = platform === 'win32' && windowsDrive.test(operand) ? 2 : 0;
  let first: number | undefined;
  for (let at = operand.indexOf(':', start); at >= 0; at = operand.indexOf(':', at + 1)) {
    const image = operand.slice(0, at);
    const path = operand.slice(at + 1);
    if (path !== '' && !path.startsWith('/')) {
      if (image !== '' && exists(image))
        throw usageFailure(
          `'${path}' is no path inside ${image}: it must begin with a slash`,
          `write ${image}:/${path}`,
        );
      continue;
    }
    if (image !== '' && exists(image)) return { image, path: path === '' ? '/' : path };
    first ??= at;
  }
  if (first === undefined || first === 0) return { image: operand, path: undefined };
  return { image: operand.slice(0, first), path: operand.slice(first + 1) || '/' };
}

/** An image and the paths in it, from the operands of a command: `IMAGE:/a /b`, `IMAGE /a /b`, `IMAGE:/a IMAGE:/b`. */
export function readImageOperands(operands: readonly string[]): { image: string; paths: string[] } {
  const [first, ...rest] = operands;
  if (first === undefined) throw usageFailure('an image is missing');
  const { image, path } = splitImageArgument(first);
  const paths = path === undefined ? [] : [path];
  for (const operand of rest) {
    if (operand.startsWith('/')) {
      paths.push(operand);
      continue;
    }
    const other = splitImageArgument(operand);
    if (other.path === undefined) {
      const isFile = isImageFile(operand);
      throw usageFailure(
        `'${operand}' is no path inside the image: it must begin with a slash`,
        isFile ? 'one image at a time; drives that belong to it are added with -a FILE' : undefined,
      );
    }
    if (other.image !== image)
      throw usageFailure(
        `${other.image} is a second image`,
        'one image at a time: run the command again for it',
      );
    paths.push(other.path);
  }
  return { image, paths };
}

/** The image of a command that takes no paths. */
export function readOneImage(operands: readonly string[]): string {
  const { image, paths } = readImageOperands(operands);
  if (paths.length > 0)
    throw usageFailure(
      `this looks at whole images, not at the path ${paths[0]}`,
      `leave the path out: ${image}`,
    );
  return image;
}
