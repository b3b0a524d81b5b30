/** The XFS driver: its door. Beside it stand two kinds that look alike and are only recognised. */
import type { FileSystemDriver } from '../driver.js';
import { openXfs } from './open.js';
import { probeExfs, probeExternalLog, probeXfs } from './probe.js';

export { xfsGeometry } from './report/geometry.js';

export const xfs: FileSystemDriver = {
  name: 'xfs',
  role: 'filesystem',
  types: ['xfs'],
  usage: 'filesystem',
  probe: probeXfs,
  open: openXfs,
};

/** A log on a disk of its own. */
export const xfsExternalLog: FileSystemDriver = {
  name: 'xfs_external_log',
  role: 'filesystem',
  types: ['xfs_external_log'],
  usage: 'other',
  minimumSize: 10 * 1024 * 1024,
  probe: probeExternalLog,
};

/** Exanet's relative of XFS, of which nothing more is known. */
export const exfs: FileSystemDriver = {
  name: 'exfs',
  role: 'filesystem',
  types: ['exfs'],
  usage: 'filesystem',
  beyondLinux: true,
  probe: probeExfs,
};
