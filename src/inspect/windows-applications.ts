/** The programs that Windows lists for removal. */
import { work } from '../base/index.js';
import { type Application, type Hive, uninstallKeys } from '../formats/index.js';
import type { Tree } from '../vfs/index.js';
import { openHive, readQuietly, textOf } from './windows-registry.js';

/** The programs of the SOFTWARE hive at a path. */
export function readWindowsApplications(tree: Tree, path: string): Application[] {
  const hive = openHive(tree, path);
  const applications: Application[] = [];
  for (const names of uninstallKeys) {
    const node = hive.findNode(...names);
    for (const child of node === undefined ? [] : hive.nodeChildren(node)) {
      work.entries.spend(1);
      const application = applicationOf(hive, child);
      if (application !== undefined) applications.push(application);
    }
  }
  return applications;
}

/** What has a name for people is a program. The key's name becomes its own, because that is the same in all languages. */
function applicationOf(hive: Hive, node: number): Application | undefined {
  const name = readQuietly(() => hive.nodeName(node));
  const displayName = textOf(hive, node, 'DisplayName');
  if (name === undefined || displayName === undefined) return undefined;
  const text = (value: string): string => textOf(hive, node, value) ?? '';
  return {
    name,
    epoch: 0,
    version: text('DisplayVersion'),
    release: '',
    arch: '',
    url: text('URLInfoAbout'),
    sourcePackage: '',
    summary: '',
    description: text('Comments'),
    program: { displayName, installPath: text('InstallLocation'), publisher: text('Publisher') },
  };
}
