/** Changes of volume groups on physical volumes that lose power. */
import { crashGroup, crashLabel, groupChanges, labelChanges } from '../../volume/lvm2/crash-model.js';

export function hunt(): string | undefined {
  const options = { most: 150, untilWrong: true };
  for (const name of Object.keys(groupChanges)) {
    const [found] = crashGroup(name, options).wrong;
    if (found !== undefined) return `${name}: ${found}`;
  }
  for (const name of Object.keys(labelChanges)) {
    const [found] = crashLabel(name, options).wrong;
    if (found !== undefined) return `${name}: ${found}`;
  }
  return undefined;
}
