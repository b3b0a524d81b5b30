/** The end of a session that another backend goes on with. */
import type { Carried } from '../../api/index.js';
import { changedClusters, type LayerPlan, layerBytes, writeLayer } from '../host/layer.js';
import { carriedCalls } from '../session/carried.js';
import type { Session } from '../session/session.js';

/** How a departure is seen and stopped. */
interface Departure {
  /** A file for the layer of each drive, in their order; undefined for those whose writes go to the image. */
  readonly files: readonly (string | undefined)[];
  /** Told in bytes, between all else; throws to end the departure. */
  progress(position: number, total: number): void;
}

/**
 * Tells what a session is, and makes all that was written last: on the drives, or in files of layers. The session is
 * as before, so it can be closed, or go on if this throws.
 */
export function prepareToLeave(session: Session, departure: Departure): Carried {
  const calls = carriedCalls(session);
  // Filesystems are left as by an unmount: the next one to mount them has nothing to replay.
  const written = session.mounts.mounts().filter(({ readonly }) => !readonly);
  try {
    for (const mount of written.toReversed()) if (!mount.readonly) session.remount(mount, false);
    return { drives: leaveDrives(session, departure), calls };
  } catch (thrown) {
    for (const mount of written) if (mount.readonly) session.remount(mount, true);
    throw thrown;
  }
}

function leaveDrives(session: Session, { files, progress }: Departure): Carried['drives'] {
  const opened = session.devices.drives.map((device) => session.drive(device));
  for (const drive of opened) if (drive?.layer === undefined) drive?.disk.flush();
  const plans = opened.map((drive): LayerPlan | undefined => {
    if (drive?.layer === undefined) return undefined;
    const clusters = changedClusters(drive.layer);
    return clusters.length === 0 ? undefined : { layer: drive.layer, clusters, backing: drive.image };
  });
  const total = plans.reduce((sum, plan) => sum + (plan === undefined ? 0 : layerBytes(plan)), 0);
  let position = 0;
  progress(0, total);
  return plans.map((plan, index) => {
    const file = files[index];
    if (plan === undefined || file === undefined) return {};
    writeLayer(file, plan, (bytes) => {
      position += bytes;
      progress(position, total);
    });
    return { layer: file };
  });
}
