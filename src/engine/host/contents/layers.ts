/**
 * Layers of a container image: archives of which each changes what those below it hold. Specification: the OCI image
 * specification 1.1, layer.md.
 */
import { CorruptError } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import type { ContentTree } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import { addMembers, type Located, located } from './tar.js';

const whiteout = '.wh.';
const opaque = '.wh..wh..opq';
/** Names that other tools keep for themselves. */
const reserved = '.wh..wh.';
/** Where eStargz keeps what it knows of an archive. */
const indexNames: ReadonlySet<string> = new Set([
  'stargz.index.json',
  '.prefetch.landmark',
  '.no.prefetch.landmark',
]);

/** The directory and the last name of a path. */
function split(path: string): { readonly directory: string; readonly name: string } {
  const names = path.split('/').filter((each) => each !== '' && each !== '.');
  const name = names.pop() ?? '';
  return { directory: names.join('/'), name };
}

/** What a whiteout hides. CorruptError where that is no name of a file, but a way to one. */
function hiddenName(name: string): string {
  const hidden = name.slice(whiteout.length);
  if (hidden === '' || hidden === '.' || hidden === '..')
    throw new CorruptError('layer of a container image', 'has a whiteout of no file', { name });
  return hidden;
}

/** Whiteouts hide what is below the layer alone, wherever they stand in it: so they go first. */
export function addLayer(call: Call, tree: ContentTree, archive: Disk): void {
  const kept: Located[] = [];
  for (const each of located(call, archive)) {
    const { directory, name } = split(each.member.name);
    if (name === opaque) tree.empty(directory);
    else if (`/${directory}/${name}`.includes(`/${reserved}`)) continue;
    else if (name.startsWith(whiteout)) tree.remove(`${directory}/${hiddenName(name)}`);
    else if (directory !== '' || !indexNames.has(name)) kept.push(each);
  }
  addMembers(tree, kept);
}
