/** The actions that add drives, and libvirt's, which would add more. */
import type { ActionsBy, SyncActionName } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import type { AsyncHandlers, SyncHandlers } from '../handle-internals.js';
import { mostDrives } from './drives.js';

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

/** libvirt is never called here, so it never asks for credentials. */
function notAsked(): never {
  throw new GuestfsError('EINVAL', 'only a callback for the event libvirtAuth may call this');
}

export const driveActions = {
  add_drive: ({ drives }, filename, options) => drives.add(filename, options),
  add_drive_ro: ({ drives }, filename) => drives.add(filename, { readonly: true }),
  add_drive_scratch: ({ drives }, size, options) => drives.addScratch(size, options),
  add_drive_with_if: ({ drives }, filename, iface) => drives.add(filename, { iface }),
  add_drive_ro_with_if: ({ drives }, filename, iface) => drives.add(filename, { iface, readonly: true }),
  add_cdrom: ({ drives }, filename) => drives.add(filename, { readonly: true }),
  remove_drive: ({ drives }, label) => drives.remove(label),
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
} satisfies Partial<SyncHandlers<SyncActionName>>;

async function noLibvirt(): Promise<never> {
  throw new GuestfsError(
    'ENOTSUP',
    "libvirt is not asked for a domain's disks in this version: add them one by one with add_drive",
  );
}

export const libvirtActions = {
  add_domain: noLibvirt,
  add_libvirt_dom: noLibvirt,
} satisfies Partial<AsyncHandlers<ActionsBy<'handle'>>>;
