/** Every action has somebody who does it: the daemon, the appliance room, or the handle itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Action, type ActionName, actionNames, actions, camelCase } from '../../src/api/index.js';
import { archiveActions } from '../../src/appliance/library/archives.js';
import { libraryActions } from '../../src/appliance/library/index.js';
import { uploadActions } from '../../src/appliance/library/uploads.js';
import { wireAction } from '../../src/appliance/wire/procedures.js';
import { driveActions, libvirtActions } from '../../src/guestfs/drives/drive-actions.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { sessionActions, sessionAsyncActions } from '../../src/guestfs/session-actions.js';
import { settingActions } from '../../src/guestfs/settings-actions.js';
import { needsFacts, readFacts } from '../support/facts.js';

const handleActions: ReadonlySet<string> = new Set(
  [settingActions, driveActions, sessionActions, sessionAsyncActions, libvirtActions].flatMap((table) =>
    Object.keys(table),
  ),
);

/** The library's own, of which the C library has more than this one: each refuses, and says why. */
const refused: Readonly<Partial<Record<ActionName, { args: readonly unknown[]; says: RegExp }>>> = {
  mount_local: { args: ['/mnt'], says: /needs FUSE/ },
  mount_local_run: { args: [], says: /needs FUSE/ },
  umount_local: { args: [], says: /needs FUSE/ },
  add_domain: { args: ['guest'], says: /libvirt is not asked/ },
  add_libvirt_dom: { args: [0], says: /pointer of the C library/ },
  c_pointer: { args: [], says: /none of the C library/ },
  get_libvirt_requested_credentials: { args: [], says: /libvirtAuth/ },
  get_libvirt_requested_credential_prompt: { args: [0], says: /libvirtAuth/ },
  get_libvirt_requested_credential_challenge: { args: [0], says: /libvirtAuth/ },
  get_libvirt_requested_credential_defresult: { args: [0], says: /libvirtAuth/ },
  set_libvirt_requested_credential: { args: [0, Buffer.of()], says: /libvirtAuth/ },
};

/** The daemon's, with something that its client sees to. */
const guarded: ReadonlySet<string> = new Set(Object.keys({ ...archiveActions, ...uploadActions }));

test('every action is done by exactly one of the daemon, the appliance room and the handle', () => {
  for (const name of actionNames) {
    const action: Action = actions[name];
    const doers = [
      ...(handleActions.has(name) ? ['handle'] : []),
      ...(libraryActions.has(name) && !guarded.has(name) ? ['library'] : []),
      ...(action.proc === undefined ? [] : ['daemon']),
    ];
    assert.equal(doers.length, 1, `${name}: ${doers.join(', ') || 'nobody'}`);
  }
});

test(
  'what the C library does itself is done here too, and what its daemon does by the daemon',
  needsFacts('api/actions.json'),
  () => {
    const facts =
      readFacts<{ name: string; side: string; visibility: string; procNr: number | null }[]>(
        'api/actions.json',
      );
    const shown = facts.filter(({ name }) => (actionNames as readonly string[]).includes(name));
    assert.equal(shown.length, actionNames.length);
    for (const { name, side } of shown) {
      const here = handleActions.has(name) || (libraryActions.has(name) && !guarded.has(name));
      assert.equal(here, side === 'library', name);
      if (side === 'daemon') assert.ok(wireAction(name), name);
    }
  },
);

test('what this library does not do is refused with its reason', async () => {
  await using g = new Guestfs({ environment: false });
  const methods = g as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const [name, { args, says }] of Object.entries(refused)) {
    await assert.rejects(async () => await methods[camelCase(name)]?.(...args), says, name);
  }
});

test('the 17 actions that once had no options have the name of the C library for their form with options, too', () => {
  const methods = Object.getOwnPropertyNames(Guestfs.prototype).filter((name) => name.endsWith('Opts'));
  assert.deepEqual(methods.sort(), [
    'addDriveOpts',
    'btrfsSubvolumeCreateOpts',
    'btrfsSubvolumeSnapshotOpts',
    'globExpandOpts',
    'grepOpts',
    'isBlockdevOpts',
    'isChardevOpts',
    'isDirOpts',
    'isFifoOpts',
    'isFileOpts',
    'isSocketOpts',
    'mkfsOpts',
    'mkswapOpts',
    'ntfsresizeOpts',
    'tarInOpts',
    'tarOutOpts',
    'umountOpts',
  ]);
  const g = new Guestfs({ environment: false });
  g.addDriveOpts('/dev/null', { readonly: true, format: 'raw' });
  assert.equal(g.debugDrives().length, 1);
  assert.equal(g.mkfsOpts, g.mkfs);
});
