/** `file:` URLs in the place of paths of the host: the one place where they become paths. */
import { fileURLToPath } from 'node:url';
import { type ActionName, type ArgumentType, actions } from '../api/index.js';

const hostPaths: ReadonlySet<ArgumentType> = new Set(['hostPath', 'optHostPath', 'fileIn', 'fileOut']);

/**
 * The arguments of a call with paths in the place of URLs, where a path of the host is taken. TypeError for a URL that
 * is no `file:` URL, or that is none of a file here.
 */
export function withHostPaths(
  name: ActionName,
  given: readonly unknown[],
  callee: string,
): readonly unknown[] {
  if (!given.some((value) => value instanceof URL)) return given;
  return given.map((value, index) => {
    const argument = actions[name].args[index];
    if (!(value instanceof URL) || argument === undefined || !hostPaths.has(argument.type)) return value;
    try {
      return fileURLToPath(value);
    } catch (thrown) {
      throw new TypeError(
        `${callee}: argument ${index + 1} (${argument.name}) is '${value.href}', which is no file: URL of a path of this host`,
        { cause: thrown },
      );
    }
  });
}
