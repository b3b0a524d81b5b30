/** Device names compared as the cases want it: without `/dev/` and the letters up to the first `d`. */
const bare = (name: string): string => name.replace(/^\/dev\/[^d]*d/, '');

export function sameDevice(first: unknown, second: string): boolean {
  return typeof first === 'string' && bare(first) === bare(second);
}
