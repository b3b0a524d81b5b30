/** mdadm.conf(5): a guest's names of its MD arrays, matched with the arrays here by UUID. */
import type { Tree } from '../vfs/index.js';
import { readLines } from './text.js';

/** `aabbccdd:eeff0011:…` as 32 hexadecimal digits, with any separators; undefined for other texts. */
function normalUuid(text: string): string | undefined {
  const digits = text.replace(/[:. -]/g, '').toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) ? digits : undefined;
}

/** The guest's device names, each with the device of the same array here. */
export function readArrays(
  tree: Tree,
  hostArrays: Iterable<{ readonly device: string; readonly uuid: string }>,
): Map<string, string> {
  const here = new Map<string, string>();
  for (const { device, uuid } of hostArrays) {
    const normal = normalUuid(uuid);
    if (normal !== undefined) here.set(normal, device);
  }
  const names = new Map<string, string>();
  if (here.size === 0) return names;
  for (const path of ['/etc/mdadm.conf', '/etc/mdadm/mdadm.conf']) {
    for (const line of logicalLines(readLines(tree, path) ?? [])) {
      const [keyword, name, ...words] = line.split(/[ \t]+/);
      if (keyword?.toUpperCase() !== 'ARRAY' || name === undefined) continue;
      const uuid = words.find((word) => /^uuid=/i.test(word))?.slice('uuid='.length);
      const device = here.get(normalUuid(uuid ?? '') ?? '');
      if (device !== undefined) names.set(name, device);
    }
  }
  return names;
}

/** A line that begins with a blank continues the line before. */
function logicalLines(lines: readonly string[]): string[] {
  const joined: string[] = [];
  for (const line of lines) {
    const text = line.replace(/#.*/, '').trimEnd();
    if (/^[ \t]/.test(text) && joined.length > 0) joined.push(`${joined.pop()} ${text.trimStart()}`);
    else if (text !== '') joined.push(text);
  }
  return joined;
}
