/**
 * Encrypted disks: LUKS, BitLocker, and keys that a network server guards.
 *
 * Keys are never shown in traces, and the shell asks for them instead of reading them from the command line.
 */
import { device, gives, int, key, optional, string, topic } from '../action.js';

const encrypted = device('device', 'the encrypted device');
const passphrase = key('key', 'one of its passphrases');
const mapname = string('mapname', 'name for it below `/dev/mapper/`');
const keyslot = int('keyslot', 'slot of the new passphrase, from 0');

export const luks = topic('Encryption', {
  cryptsetup_open: {
    args: [encrypted, passphrase, mapname],
    options: {
      readonly: optional.bool('nothing can be written through it'),
      crypttype: optional.string(
        '`luks` or `bitlk` (BitLocker), detected by default; `plain` has no header, and must be given',
      ),
      cipher: optional.string('for `plain`: the cipher as cryptsetup names it'),
    },
    result: gives.nothing,
    proc: 508,
    since: '1.43.2',
    group: 'luks',
    short: 'open an encrypted device',
    help: 'Makes the contents of `device` readable as `/dev/mapper/` and `mapname`, when `key` is one of its passphrases. Call `lvm_scan` next if there are volumes inside.\n\nA key that does not fit is an error.',
  },
  cryptsetup_close: {
    args: [device('device', 'the `/dev/mapper/` name that opening it made')],
    result: gives.nothing,
    proc: 509,
    since: '1.43.2',
    group: 'luks',
    short: 'close an encrypted device',
    help: 'Removes `device`, the `/dev/mapper/` name that was made by opening it. Nothing in it may be mounted.',
  },
  luks_open: {
    args: [encrypted, passphrase, mapname],
    result: gives.nothing,
    proc: 257,
    since: '1.5.1',
    group: 'luks',
    deprecatedBy: 'cryptsetup_open',
    short: 'open a LUKS device',
    help: 'Use `cryptsetup_open`, which knows other kinds too.',
  },
  luks_open_ro: {
    args: [encrypted, passphrase, mapname],
    result: gives.nothing,
    proc: 258,
    since: '1.5.1',
    group: 'luks',
    deprecatedBy: 'cryptsetup_open',
    short: 'open a LUKS device for reading only',
    help: 'Use `cryptsetup_open` with the option `readonly`.',
  },
  luks_close: {
    args: [device('device', 'the `/dev/mapper/` name that opening it made')],
    result: gives.nothing,
    proc: 259,
    since: '1.5.1',
    group: 'luks',
    deprecatedBy: 'cryptsetup_close',
    short: 'close a LUKS device',
    help: 'Use `cryptsetup_close`, which does exactly the same.',
  },
  luks_format: {
    args: [device('device', 'device to encrypt'), key('key', 'the new passphrase'), keyslot],
    result: gives.nothing,
    proc: 260,
    since: '1.5.2',
    group: 'luks',
    short: 'encrypt a device with LUKS',
    help: 'Everything that was on the device is lost. `key` becomes the passphrase in the slot `keyslot`, mostly 0. Open it afterwards with `cryptsetup_open`.',
  },
  luks_format_cipher: {
    args: [
      device('device', 'device to encrypt'),
      key('key', 'the new passphrase'),
      keyslot,
      string('cipher', 'cipher as cryptsetup names it, such as `aes-xts-plain64`'),
    ],
    result: gives.nothing,
    proc: 261,
    since: '1.5.2',
    group: 'luks',
    short: 'encrypt a device with LUKS and a cipher of choice',
    help: 'As `luks_format`, with `cipher` as cryptsetup names it: `aes-xts-plain64`.',
  },
  luks_add_key: {
    args: [encrypted, passphrase, key('newkey', 'the new passphrase'), keyslot],
    result: gives.nothing,
    proc: 262,
    since: '1.5.2',
    group: 'luks',
    short: 'add a passphrase to a LUKS device',
    help: 'Any one of the present passphrases is needed as `key`; `newkey` goes to the slot `keyslot`, which must be empty.',
  },
  luks_kill_slot: {
    args: [encrypted, key('key', 'passphrase of another slot'), int('keyslot', 'slot to empty')],
    result: gives.nothing,
    proc: 263,
    since: '1.5.2',
    group: 'luks',
    short: 'take a passphrase away from a LUKS device',
    help: 'Empties the slot `keyslot`; the passphrase of another slot is needed as `key`, so that the last one cannot be lost by mistake.',
  },
  luks_uuid: {
    args: [encrypted],
    result: gives.string,
    proc: 507,
    since: '1.41.9',
    group: 'luks',
    short: 'give the UUID of a LUKS device',
    help: 'The UUID in the LUKS header, not the one of the filesystem inside.',
  },
  clevis_luks_unlock: {
    args: [encrypted, mapname],
    result: gives.nothing,
    proc: 512,
    since: '1.49.3',
    group: 'clevisluks',
    short: 'open a LUKS device with keys from the network',
    help: 'Asks the servers (Tang) or devices that the header names for the key, by means of Clevis, and opens it as `/dev/mapper/` and `mapname`. The network must have been turned on with `set_network` before launch.',
  },
});
