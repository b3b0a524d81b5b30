/**
 * Finds out which guestfsd a supermin appliance will have, without booting it. The daemon is a program in an archive
 * beside the other parts. It does not contain its libguestfs version, but it does contain the name of each procedure
 * that it has.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { actions } from '../../api/index.js';
import { hostError } from '../../base/index.js';
import { type DaemonVersion, identifyDaemon } from '../wire/compat.js';
import { internalProcedures } from '../wire/procedures.js';

/** Debian's archive has 1.9 megabytes, 5.2 when unpacked. */
const mostBytes = 256 * 2 ** 20;

const procedureNames = new Map(
  [...Object.entries(actions), ...Object.entries(internalProcedures)].flatMap(([name, action]) =>
    'proc' in action ? [[action.proc as number, name] as const] : [],
  ),
);

/** The procedures of the daemon in `supermin.d`. Rejects with GuestfsError if the archive cannot be read. */
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
