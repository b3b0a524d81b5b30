/** Tasks of the engine on files of the host that are no drives: each is done in its thread, on a handle of its own. */
import type { CallControls } from '../../api/index.js';

/** The key of the handle's member behind these tasks; not exported from the package. */
export const hostTask: unique symbol = Symbol('guestfs.hostTask');

/** The internal calls, and the functions that make them. */
export const hostTasks = {
  internal_make_filesystem: 'makeFilesystem',
  internal_check_image: 'checkImage',
  internal_resize_image: 'resizeImage',
} as const;

/** One of them. */
export type HostTask = keyof typeof hostTasks;

/** A scratch drive, since a session has at least one. */
const leastDrive = 512;

/** What {@link runHostTask} asks of a handle. */
interface TaskHandle {
  addDriveScratch(sizeInBytes: number): void;
  launch(controls: CallControls): Promise<void>;
  close(): Promise<void>;
}

/** Runs a task on a new handle, which is closed then. */
export async function runHostTask<Handle extends TaskHandle, Result>(
  g: Handle,
  { signal }: CallControls,
  task: (g: Handle) => Promise<Result>,
): Promise<Result> {
  try {
    g.addDriveScratch(leastDrive);
    await g.launch({ signal });
    return await task(g);
  } finally {
    await g.close();
  }
}
