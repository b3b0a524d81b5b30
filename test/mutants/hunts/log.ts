/** Random transactions through a log, on a disk that loses power. */
import { logKinds, makeLogImage } from '../../fs/ext/log-images.js';
import { crashLog } from '../../fs/ext/log-model.js';
import { scratchDirectory } from '../../support/scratch.js';

const directory = scratchDirectory();

export function hunt(name: string): string | undefined {
  const kind = logKinds.find((each) => each.name === name);
  if (kind === undefined) throw new Error(`no kind is called ${name}`);
  const options = { most: 3000, untilWrong: true, sectorSize: kind.sectorSize };
  for (let seed = 3; seed < 7; seed++) {
    const work = { seed, runs: 90, commitEvery: 5, closeEvery: 25 };
    const [found] = crashLog(makeLogImage(directory, kind), work, options).wrong;
    if (found !== undefined) return found;
  }
  return undefined;
}
