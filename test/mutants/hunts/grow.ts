/** Growing of filesystems on a disk that loses power. */
import { before, check, checkMark, growDurably, kinds } from '../../fs/ext/unmounted/grow-model.js';
import { countCrashes } from '../../support/crashes.js';

export function hunt(): string | undefined {
  for (const [kind, sectorSize] of kinds) {
    const bytes = before(kind);
    const options = { most: 60, untilWrong: true };
    const [found] = [
      // Half of a superblock is neither as it was nor as it is to be.
      ...countCrashes(bytes, growDurably, checkMark(bytes), { ...options, sectorSize: 4096 }).wrong,
      ...countCrashes(bytes, growDurably, check, { ...options, sectorSize }).wrong,
    ];
    if (found !== undefined) return `${kind}: ${found}`;
  }
  return undefined;
}
