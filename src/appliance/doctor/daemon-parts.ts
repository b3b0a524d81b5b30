/**
 * Which guestfsd an appliance will have that supermin builds, without booting it. It is a program in an archive beside the
 * others of its parts, and says nowhere which libguestfs it is of; but it holds the name of each procedure that it has.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { actions } from '../../api/index.js';
import { hostError } from '../../base/index.js';
import { type DaemonVersion, identifyDaemon } from '../wire/compat.js';
import { internalProcedures } from '../wire/procedures.js';

/** Debian's is 1.9 megabytes, and 5.2 unpacked. */
const mostBytes = 256 * 2 ** 20;

const procedureNames = new Map(
  [...Object.entries(actions), ...Object.entries(internalProcedures)].flatMap(([name, action]) =>
    'proc' in action ? [[action.proc as number, name] as const] : [],
  ),
);

/** What the daemon in `supermin.d` has. Rejects with GuestfsError where the archive cannot be read. */
export async function daemonOfParts(supermin: string): Promise<DaemonVersion> {
  const path = join(supermin, 'daemon.tar.gz');
  let bytes: Buffer;
  try {
    bytes = gunzipSync(readFileSync(path), { maxOutputLength: mostBytes });
  } catch (thrown) {
    throw hostError(path, thrown);
  }
  return await identifyDaemon(async (proc) => {
    const name = procedureNames.get(proc);
    return name !== undefined && bytes.includes(`${name}\0`);
  });
}
