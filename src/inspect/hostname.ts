/** The host name, from the configuration files. */
import type { Tree } from '../vfs/index.js';
import { isPlainFile, readLines } from './text.js';

/** In a file with only a name: the first line that is neither empty nor a comment. */
export function hostnameFromFile(tree: Tree, path: string): string | undefined {
  return readLines(tree, path)?.find((line) => line !== '' && !line.startsWith('#'));
}

/** Old Debian and SUSE have /etc/HOSTNAME, Red Hat before 7 /etc/sysconfig/network, all others hostname(5). */
export function linuxHostname(tree: Tree): string | undefined {
  return (
    hostnameFromFile(tree, '/etc/HOSTNAME') ??
    hostnameFromFile(tree, '/etc/hostname') ??
    (isPlainFile(tree, '/etc/sysconfig/network')
      ? shellVariable(tree, '/etc/sysconfig/network', 'HOSTNAME')
      : undefined)
  );
}

/** FreeBSD and NetBSD set it in rc.conf(5); OpenBSD has myname(5). */
export function bsdHostname(tree: Tree): string | undefined {
  return shellVariable(tree, '/etc/rc.conf', 'hostname') ?? hostnameFromFile(tree, '/etc/myname');
}

/** `NAME=value`, perhaps exported, in shell syntax: quoted, or up to a blank or semicolon; a comment may follow. */
const assignment = /^\s*(?:export\s+)?(\w+)=(?:"([^"]*)"|'([^']*)'|([^\s;]*))\s*(?:[;#].*)?$/;

/**
 * The value of a variable in a file of assignments. The last assignment counts, as in a shell. An empty value counts
 * as none.
 */
function shellVariable(tree: Tree, path: string, name: string): string | undefined {
  let found: string | undefined;
  for (const line of readLines(tree, path) ?? []) {
    const [, key, ...values] = assignment.exec(line) ?? [];
    if (key === name) found = values.find((value) => value !== undefined && value !== '');
  }
  return found;
}
