/**
 * Handles that are open when the process exits: their close callbacks run, and their backends end at once. One listener
 * serves all handles, however many there are.
 */
export interface ExitTarget {
  /** Everything that can be done without waiting. */
  exit(): void;
}

const open = new Set<ExitTarget>();

function exitAll(): void {
  for (const target of [...open]) target.exit();
}

export function closeAtExit(target: ExitTarget): void {
  if (open.size === 0) process.on('exit', exitAll);
  open.add(target);
}

export function forgetAtExit(target: ExitTarget): void {
  if (open.delete(target) && open.size === 0) process.off('exit', exitAll);
}
