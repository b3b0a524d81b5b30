/** Volume groups with a missing disk: volumes that lie wholly on the present disks can be used. */
import { activateHalfGroups as activate } from '../../guestfs/index.js';
import type { Guest } from './guest.js';

/** Activates the volumes that are complete and reports the others. Resolves to whether there were any. */
export async function activateHalfGroups({ g, controls, invocation }: Guest): Promise<boolean> {
  const { activated, problem } = await activate(g, controls);
  if (problem !== undefined) invocation.note(problem.bareMessage);
  return activated;
}
