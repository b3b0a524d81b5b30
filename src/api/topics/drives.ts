/**
 * Drives: which disk images a handle opens, in which order, and with what permissions.
 *
 * The order of adding is the order of the names: the first drive is `/dev/sda`, the next `/dev/sdb`.
 */
import { bufferIn, gives, int, int64, optional, pointer, string, stringList, topic } from '../action.js';

const image = string('filename', 'path of the image, or of a block device, on the host');
const iface = string('iface', 'the kind of bus: `ide`, `scsi` or `virtio`');
const credentialIndex = int('index', 'which of the credentials asked for, from 0');

export const drives = topic('Drives', {
  add_drive: {
    args: [image],
    options: {
      readonly: optional.bool(
        'keep the image as it is: writes go to an overlay that is discarded at the end',
      ),
      format: optional.string(
        'format of the image, `raw` or `qcow2` for instance; detected by default. Give it for a raw image that is not trusted: whoever writes the first bytes of a raw disk can make it look like another format',
      ),
      iface: optional.string('accepted for old callers, without effect'),
      name: optional.string('accepted for old callers, without effect'),
      label: optional.string('a name of up to 20 letters: the drive is then `/dev/disk/guestfs/LABEL` too'),
      protocol: optional.string(
        'how a remote disk is reached: `nbd`, `ssh`, `iscsi`, `rbd`, `http`, `https`, `ftp`, `ftps` and others; `file`, the default, is a disk of this host',
      ),
      server: optional.stringList(
        'servers of a remote disk, each as `host`, `host:port`, `tcp:host:port` or `unix:/path`',
      ),
      username: optional.string('user name at the server'),
      secret: optional.string('password or key for the server; that of `rbd` is base64'),
      cachemode: optional.string(
        '`writeback`, the default, keeps the promise of each sync; `unsafe` ignores syncs, for scratch disks only',
      ),
      discard: optional.string(
        'whether freed space is given back to the host: `disable` (the default), `enable` (an error where the image cannot), `besteffort`',
      ),
      copyonread: optional.bool(
        'keep what is read from a backing file in the overlay, for quicker reading the next time',
      ),
      blocksize: optional.int('logical sector size in bytes: 512, the default, or 4096'),
    },
    result: gives.nothing,
    since: '0.3',
    nonBlocking: true,
    aliases: ['add', 'add-drive-opts'],
    short: 'add a disk image to the handle',
    help: 'Opens the host file or block device `filename` as the next drive. The first one added is `/dev/sda`, then `/dev/sdb` and so on. The file must exist; writing to it needs permission to, reading does not. `/dev/null` stands for a small empty disk.\n\nUnless `readonly` is true, writes go to the image. With it they go to a temporary overlay that is thrown away at the end, and the image stays as it is. Never open the disk of a running machine for writing: that corrupts it.',
  },
  add_drive_ro: {
    args: [image],
    result: gives.nothing,
    since: '1.0.38',
    configOnly: true,
    nonBlocking: true,
    aliases: ['add-ro'],
    short: 'add a disk image, leaving it unchanged',
    help: 'The same as `add_drive` with `readonly` true: what is written to the drive goes to an overlay that is discarded at the end. This is the safe way to look into a disk that may be in use.',
  },
  add_drive_scratch: {
    args: [int64('size', 'size of the disk in bytes')],
    options: {
      name: optional.string('accepted for old callers, without effect'),
      label: optional.string('a name of up to 20 letters: the drive is then `/dev/disk/guestfs/LABEL` too'),
      blocksize: optional.int('logical sector size in bytes: 512, the default, or 4096'),
    },
    result: gives.nothing,
    since: '1.23.10',
    nonBlocking: true,
    aliases: ['scratch'],
    short: 'add an empty temporary disk',
    help: 'Makes a disk of `size` bytes that reads as zeroes, and deletes it when the handle is closed. `label` and `blocksize` mean what they mean in `add_drive`; `name` has no effect.',
  },
  add_drive_with_if: {
    args: [image, iface],
    result: gives.nothing,
    since: '1.0.84',
    configOnly: true,
    nonBlocking: true,
    deprecatedBy: 'add_drive',
    short: 'add a disk image on a chosen kind of bus',
    help: 'Once chose the emulated controller (`ide`, `scsi`, `virtio`) that the disk was attached to. Use `add_drive`, which picks one that works.',
  },
  add_drive_ro_with_if: {
    args: [image, iface],
    result: gives.nothing,
    since: '1.0.84',
    configOnly: true,
    nonBlocking: true,
    deprecatedBy: 'add_drive',
    short: 'add a disk image on a chosen kind of bus, leaving it unchanged',
    help: 'The read-only form of `add_drive_with_if`. Use `add_drive` with `readonly` set to true.',
  },
  add_cdrom: {
    args: [image],
    result: gives.nothing,
    since: '0.3',
    configOnly: true,
    nonBlocking: true,
    deprecatedBy: 'add_drive_ro',
    short: 'add an ISO image',
    help: 'Adds the image read-only, as an ordinary drive and not as an optical one. Use `add_drive_ro`, which does exactly the same.',
  },
  remove_drive: {
    args: [string('label', 'the label that the drive was added with')],
    result: gives.nothing,
    since: '1.19.49',
    nonBlocking: true,
    deprecatedBy: true,
    short: 'take a labelled drive out of the handle',
    help: 'Forgets the drive that was added with this `label`. Only a drive with a label can be removed, and not after launch: the removal of drives from a running backend is no longer offered, so in new programs leave out the drives you do not want.',
  },
  add_domain: {
    args: [string('dom', 'name of the domain')],
    options: {
      libvirturi: optional.string('the libvirt to ask; its default connection without it'),
      readonly: optional.bool('add every disk read-only; the domain may then be running'),
      iface: optional.string('passed on to `add_drive`'),
      live: optional.bool('without effect'),
      allowuuid: optional.bool('take the name for a UUID first'),
      readonlydisk: optional.string(
        'for a disk that the domain has read-only: `error` (refuse it, unless `readonly`), `read` (add it read-only), `write` (the default: add it as all others), `ignore` (skip it)',
      ),
      cachemode: optional.string('passed on to `add_drive`'),
      discard: optional.string('passed on to `add_drive`'),
      copyonread: optional.bool('passed on to `add_drive`'),
    },
    result: gives.int,
    since: '1.7.4',
    configOnly: true,
    aliases: ['domain'],
    short: 'add the disks of a libvirt domain',
    help: 'Asks libvirt which disks the domain named `dom` has, and adds each of them as `add_drive` would. Gives the number of disks added; on an error none is. The domain must be shut off unless `readonly` is true.',
  },
  add_libvirt_dom: {
    args: [pointer('dom', 'a `virDomainPtr` of the C library, which cannot be given')],
    options: {
      readonly: optional.bool('add every disk read-only; the domain may then be running'),
      iface: optional.string('passed on to `add_drive`'),
      live: optional.bool('without effect'),
      readonlydisk: optional.string(
        'for a disk that the domain has read-only: `error` (refuse it, unless `readonly`), `read` (add it read-only), `write` (the default: add it as all others), `ignore` (skip it)',
      ),
      cachemode: optional.string('passed on to `add_drive`'),
      discard: optional.string('passed on to `add_drive`'),
      copyonread: optional.bool('passed on to `add_drive`'),
    },
    result: gives.int,
    since: '1.29.14',
    configOnly: true,
    visibility: 'noShell',
    short: 'add the disks of an open libvirt domain object',
    help: 'Takes a `virDomainPtr` of the C library of libvirt in place of a name. There are no such pointers in JavaScript, so this always fails with a type error; `add_domain` does the same by name.',
  },
  set_libvirt_supported_credentials: {
    args: [stringList('creds', 'kinds of credential that the program can ask its user for')],
    result: gives.nothing,
    since: '1.19.52',
    nonBlocking: true,
    short: 'say which credentials the program can ask its user for',
    help: 'Before `add_domain`, lists the kinds of credential that the program is able to supply: `username`, `authname`, `language`, `cnonce`, `passphrase`, `echoprompt`, `noechoprompt`, `realm`, `external`. libvirt then asks for no others, and does so through the event `libvirt_auth`.',
  },
  get_libvirt_requested_credentials: {
    args: [],
    result: gives.strings,
    since: '1.19.52',
    nonBlocking: true,
    short: 'list the credentials that libvirt asks for',
    help: 'Gives the kinds of credential wanted, by the names of `set_libvirt_supported_credentials`; their position in the list is the `index` that the related actions take. Only within a callback for the event `libvirt_auth`.',
  },
  get_libvirt_requested_credential_prompt: {
    args: [credentialIndex],
    result: gives.string,
    since: '1.19.52',
    nonBlocking: true,
    short: 'give the prompt to show for a credential',
    help: 'The text with which libvirt wants the user to be asked for the credential number `index`, counted from 0. Only within a callback for the event `libvirt_auth`.',
  },
  get_libvirt_requested_credential_challenge: {
    args: [credentialIndex],
    result: gives.string,
    since: '1.19.52',
    nonBlocking: true,
    short: 'give the challenge that a credential answers',
    help: 'The challenge that came with the request for the credential number `index`, counted from 0; the empty string if there is none. Only within a callback for the event `libvirt_auth`.',
  },
  get_libvirt_requested_credential_defresult: {
    args: [credentialIndex],
    result: gives.string,
    since: '1.19.52',
    nonBlocking: true,
    short: 'give the answer to assume for a credential',
    help: 'What libvirt takes if the user answers nothing to the request number `index`, counted from 0; the empty string if there is no default. Only within a callback for the event `libvirt_auth`.',
  },
  set_libvirt_requested_credential: {
    args: [credentialIndex, bufferIn('cred', 'the secret, which may be any bytes')],
    result: gives.nothing,
    since: '1.19.52',
    nonBlocking: true,
    short: 'answer a request for a credential',
    help: 'Hands the secret `cred` to libvirt as the credential number `index`, counted from 0. The bytes may be anything, also NUL. Only within a callback for the event `libvirt_auth`.',
  },
  max_disks: {
    args: [],
    result: gives.int,
    since: '1.19.7',
    nonBlocking: true,
    short: 'say how many drives a handle can have',
    help: 'Gives the largest number of drives that can be added on this backend. Adding one more is an error at the time of launch at the latest.',
  },
});
