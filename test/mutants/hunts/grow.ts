/** Growing of filesystems on a disk that loses power. */
import { before, check, checkMark, grow, kinds } from '../../fs/ext/unmounted/grow-model.js';
import { countCrashes } from '../../support/crashes.js';

export function hunt(): string | undefined {
  for (const [kind, sectorSize] of kinds) {
    const bytes = before(kind);
    const options = { most: 60, sectorSize, untilWrong: true };
    const [found] = [
      ...countCrashes(bytes, grow, checkMark(bytes), options).wrong,
      ...countCrashes(bytes, grow, check, options).wrong,
    ];
    if (found !== undefined) return `${kind}: ${found}`;
  }
  return undefined;
}
