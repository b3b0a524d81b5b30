/** Writes to qcow2 images, and changes of their size, on a disk that loses power. */
import {
  crashDataFile,
  crashedImages,
  crashResizing,
  make,
  resizings,
  worker,
} from '../../image/qcow2-crashes.js';
import { countCrashes } from '../../support/crashes.js';

const options = { most: 400, untilWrong: true };

export function hunt(what: string): string | undefined {
  if (what === 'sizes') {
    for (const [from, to] of resizings) {
      const [found] = crashResizing(from, to, options).wrong;
      if (found !== undefined) return `${from} to ${to}: ${found}`;
    }
    return crashDataFile(options).wrong[0];
  }
  for (const [name, made, filled] of crashedImages) {
    const { work, check } = worker(24);
    const [found] = countCrashes(make(made, filled), work, check, options).wrong;
    if (found !== undefined) return `${name}: ${found}`;
  }
  return undefined;
}
