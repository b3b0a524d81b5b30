/** Milliseconds of a monotonic clock. In Node the first use of `performance` would load ten modules of its own. */
export function monotonicTime(): number {
  const now = globalThis.process?.hrtime();
  return now === undefined ? performance.now() : now[0] * 1000 + now[1] / 1e6;
}
