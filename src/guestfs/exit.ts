/**
 * Handles that are open when the process exits: their close callbacks run, and their backends are ended at once. One
 * listener serves all handles.
 */
export interface ExitTarget {
  /** Does everything that needs no waiting. */
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
