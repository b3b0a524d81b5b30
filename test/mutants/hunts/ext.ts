/** Random operations on a filesystem of ext, on a disk that loses power. */
import { byE2fsck, crashOperations, journalled, unjournalled } from '../../fs/ext/write/crash-model.js';

/** `judge`: our `own` recovery looks at what is left or at what is there without one, or `e2fsck`. */
export function hunt(kind: string, judge: string): string | undefined {
  const crashed = [...journalled, ...unjournalled].find(([name]) => name === kind);
  if (crashed === undefined) throw new Error(`no kind is called ${kind}`);
  const isOwn = judge === 'own';
  for (let seed = 1; seed <= 8; seed++) {
    const work = { seed, operations: 80, most: isOwn ? 1500 : 60, untilWrong: true };
    const [found] = crashOperations(crashed, work, isOwn ? undefined : byE2fsck(crashed)).wrong;
    if (found !== undefined) return found;
  }
  return undefined;
}
