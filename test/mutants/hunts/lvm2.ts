/** Changes of volume groups on physical volumes that lose power. */
import { crashGroup, crashNewVolume, groupChanges } from '../../volume/lvm2/crash-model.js';

export function hunt(): string | undefined {
  const options = { most: 150, untilWrong: true };
  for (const name of Object.keys(groupChanges)) {
    const [found] = crashGroup(name, options).wrong;
    if (found !== undefined) return `${name}: ${found}`;
  }
  return crashNewVolume(options).wrong[0];
}
