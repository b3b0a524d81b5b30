/** The actions that add drives, and those about libvirt, which would add more. */
import type { SyncActionName, topics } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import type { AsyncHandlers, Interior, SyncHandlers } from '../handle-internals.js';
import { notConfigError } from '../state.js';
import { mostDrives } from './drives.js';

type DriveAction = Extract<keyof (typeof topics)['drives']['actions'], SyncActionName>;

/** Some actions on drives have no mark in the table that they are for the config state; they are all the same. */
function configured(handle: Interior, action: string): Interior['drives'] {
  if (handle.state !== 'config') throw notConfigError(action);
  return handle.drives;
}

const credentials = [
  'username',
  'authname',
  'language',
  'cnonce',
  'passphrase',
  'echoprompt',
  'noechoprompt',
  'realm',
  'external',
];

/** libvirt is asked for nothing here, so it never asks back. */
function notAsked(): never {
  throw new GuestfsError('EINVAL', 'only a callback for the event libvirtAuth may call this');
}

export const driveActions: SyncHandlers<DriveAction | 'debug_drives'> = {
  add_drive: (handle, filename, options) => configured(handle, 'add_drive').add(filename, options),
  add_drive_ro: ({ drives }, filename) => drives.add(filename, { readonly: true }),
  add_drive_scratch: (handle, size, options) =>
    configured(handle, 'add_drive_scratch').addScratch(size, options),
  add_drive_with_if: ({ drives }, filename, iface) => drives.add(filename, { iface }),
  add_drive_ro_with_if: ({ drives }, filename, iface) => drives.add(filename, { iface, readonly: true }),
  add_cdrom: ({ drives }, filename) => drives.add(filename, { readonly: true }),
  remove_drive: (handle, label) => configured(handle, 'remove_drive').remove(label),
  debug_drives: ({ drives }) => drives.describe(),
  max_disks: () => mostDrives,

  set_libvirt_supported_credentials: ({ settings }, given) => {
    const unknown = given.find((kind) => !credentials.includes(kind));
    if (unknown !== undefined)
      throw new GuestfsError(
        'EINVAL',
        `unknown kind of credential '${unknown}'; there are ${credentials.join(', ')}`,
      );
    settings.libvirtCredentials = [...given];
  },
  get_libvirt_requested_credentials: notAsked,
  get_libvirt_requested_credential_prompt: notAsked,
  get_libvirt_requested_credential_challenge: notAsked,
  get_libvirt_requested_credential_defresult: notAsked,
  set_libvirt_requested_credential: notAsked,
};

async function noLibvirt(): Promise<never> {
  throw new GuestfsError(
    'ENOTSUP',
    "libvirt is not asked for a domain's disks in this version: add them one by one with add_drive",
  );
}

export const libvirtActions: AsyncHandlers<'add_domain' | 'add_libvirt_dom'> = {
  add_domain: noLibvirt,
  add_libvirt_dom: noLibvirt,
};
