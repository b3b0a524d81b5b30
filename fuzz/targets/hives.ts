/**
 * Windows: registry hives with all that the parser gives, the inspection of a system that has such a registry, and the
 * icons in its programs.
 */
import { type ByteSource, sourceOf } from '../../src/base/index.js';
import { Hive, HiveEditor, iconCandidates, iconIn } from '../../src/formats/index.js';
import { Inspection, listApplications } from '../../src/inspect/index.js';
import { MountTable } from '../../src/vfs/index.js';
import { hostOf } from '../../test/inspect/host.js';
import { fixturesIn } from '../../test/support/fixtures.js';
import { MemoryFileSystem } from '../../test/support/memory-fs.js';
import { hiveFields } from '../fields.js';
import { part, type Target } from '../target.js';
import { noteRead } from '../trace.js';

/** Keys that are asked for all that they have. */
const mostKeys = 3000;

function useHive(hive: Hive): void {
  const seen = new Set<number>();
  const pending = [hive.root];
  for (let node = pending.pop(); node !== undefined && seen.size < mostKeys; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    const key = node;
    part(() => hive.nodeName(key));
    part(() => hive.nodeParent(key));
    pending.push(...(part(() => hive.nodeChildren(key)) ?? []));
    for (const value of part(() => hive.nodeValues(key)) ?? []) {
      part(() => hive.valueKey(value));
      part(() => hive.valueData(value));
      part(() => hive.valueText(value));
      part(() => hive.valueNumber(value));
    }
  }
}

/** Changes a hive, which a strict reader then reads. */
function changeHive(bytes: Uint8Array): void {
  const editor = new HiveEditor(traced(bytes));
  const { hive } = editor;
  part(() => {
    const child = editor.addChild(hive.root, 'made by the fuzzer');
    editor.setValue(child, 'value', 3, new Uint8Array(40_000));
    editor.addChild(child, 'below');
  });
  for (const node of part(() => hive.nodeChildren(hive.root)) ?? []) {
    part(() => editor.setValue(node, 'value', 4, new Uint8Array(4)));
    part(() => editor.deleteChild(node));
  }
  new Hive(sourceOf(editor.commit().slice()));
}

function traced(bytes: Uint8Array): ByteSource {
  const source = sourceOf(bytes);
  return {
    size: source.size,
    read(into, offset) {
      noteRead(offset, into.length);
      source.read(into, offset);
    },
  };
}

const hive: Target = {
  name: 'hive',
  fixtures: [...fixturesIn('hive', /\.hive\.gz$/), ...fixturesIn('windows', /\.hive\.gz$/)],
  fields: hiveFields,
  run(bytes) {
    part(() => useHive(new Hive(traced(bytes))));
    part(() => changeHive(bytes));
    useHive(new Hive(traced(bytes), { tolerant: true }));
  },
};

const registry: Target = {
  name: 'registry',
  fixtures: fixturesIn('windows', /\.hive\.gz$/),
  fields: hiveFields,
  run(bytes) {
    const files = {
      'Windows/System32/cmd.exe': '',
      'Windows/System32/config/software': bytes,
      'Windows/System32/config/system': bytes,
    };
    const inspection = Inspection.run(hostOf([{ name: 'input', files }]));
    const [guest] = inspection.guests;
    if (guest === undefined) throw new Error('a damaged registry hides its system');
    const mounts = new MountTable();
    mounts.mount(new MemoryFileSystem(files), { source: guest.root, mountpoint: '/' });
    listApplications(mounts.tree, guest, () => {});
  },
};

const icon: Target = {
  name: 'icon',
  fixtures: ['pictures/program.exe.gz'],
  run(bytes) {
    for (const majorVersion of [5, 6]) {
      const windows = { type: 'windows', distro: 'windows', majorVersion, minorVersion: 1 };
      for (const each of iconCandidates({ ...windows, windowsSystemroot: '/' })) iconIn(bytes, each);
    }
  },
};

export const hiveTargets: readonly Target[] = [hive, registry, icon];
