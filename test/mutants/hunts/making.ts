/** Making and tuning of filesystems on a disk that loses power. */
import { crashMaking, makings } from '../../fs/making-model.js';

export function hunt(): string | undefined {
  for (const [name, making] of Object.entries(makings)) {
    const [found] = crashMaking(making, { most: 60, untilWrong: true }).wrong;
    if (found !== undefined) return `${name}: ${found}`;
  }
  return undefined;
}
