/** Layers as the engine leaves them: what was written to a drive whose writes are discarded. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendConfig } from '../../src/api/index.js';
import { readLimits } from '../../src/base/index.js';
import type { Disk } from '../../src/disk/index.js';
import { Session } from '../../src/engine/session/session.js';
import { prepareToLeave } from '../../src/engine/thread/leave.js';
import './platform.js';

interface LayeredDrive {
  readonly path: string;
  readonly layer?: string | undefined;
}

/** All that a session reads of the configuration, with one read-only drive, a raw image. */
export function sessionConfig(directory: string, { path, layer }: LayeredDrive): BackendConfig {
  return {
    drives: [{ path, format: 'raw', readonly: true, ...(layer === undefined ? {} : { layer }) }],
    policy: 'untrusted',
    tmpdir: directory,
    autosync: true,
    limits: readLimits([], {}),
  } as unknown as BackendConfig;
}

/** Writes to a drive, and gives the file of the layer that has it. */
export async function leftLayer(
  directory: string,
  drive: LayeredDrive,
  write: (disk: Disk) => void,
): Promise<string> {
  const session = await Session.start(sessionConfig(directory, drive), () => {});
  try {
    const [device] = session.devices.drives;
    assert.ok(device !== undefined);
    write(device.disk);
    const file = join(directory, `layer-${crypto.randomUUID()}.qcow2`);
    writeFileSync(file, '');
    assert.equal(prepareToLeave(session, { files: [file], progress() {} }).drives[0]?.layer, file);
    return file;
  } finally {
    session.close({ sync: false });
  }
}
