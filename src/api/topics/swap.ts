/**
 * Swap areas: making them, and using them in the appliance.
 */
import { device, gives, optional, pathname, string, topic } from '../action.js';

const newSwap = device('device', 'device to make the swap area on');
const uuid = string('uuid', 'UUID of the swap area');
const swapDevice = device('device', 'device with the swap area');
const swapFile = pathname('file', 'path of the file');
const label = string('label', 'label of the swap area');

export const swap = topic('Swap', () => ({
  mkswap: {
    args: [newSwap],
    options: {
      label: optional.string('label, of at most 15 bytes'),
      uuid: optional.string('the UUID; random by default'),
    },
    result: gives.nothing,
    proc: 130,
    since: '1.0.55',
    aliases: ['mkswap-opts'],
    short: 'make a swap area on a device',
    help: 'What was on the device is lost. `label` has at most 15 bytes; `uuid` is random if it is not given.',
  },
  mkswap_L: {
    args: [string('label', 'label, of at most 15 bytes'), newSwap],
    result: gives.nothing,
    proc: 131,
    since: '1.0.55',
    deprecatedBy: 'mkswap',
    short: 'make a swap area with a label',
    help: 'Use `mkswap` with the option `label`.',
  },
  mkswap_U: {
    args: [uuid, newSwap],
    result: gives.nothing,
    proc: 132,
    since: '1.0.55',
    group: 'linuxfsuuid',
    deprecatedBy: 'mkswap',
    short: 'make a swap area with a UUID',
    help: 'Use `mkswap` with the option `uuid`.',
  },
  mkswap_file: {
    args: [pathname('path', 'path of the file')],
    result: gives.nothing,
    proc: 178,
    since: '1.0.66',
    short: 'make a file in the guest a swap area',
    help: 'The file must exist, with all its space really taken: make it with `fallocate64`.',
  },
  swapon_device: {
    args: [swapDevice],
    result: gives.nothing,
    proc: 170,
    since: '1.0.66',
    short: 'let the appliance swap to a device',
    help: "Gives programs in the appliance more memory. Whatever is on the device, except a swap area's header, is overwritten: use a scratch drive, never the guest's own.",
  },
  swapoff_device: {
    args: [swapDevice],
    result: gives.nothing,
    proc: 171,
    since: '1.0.66',
    short: 'stop swapping to a device',
    help: 'The memory that is there must fit elsewhere.',
  },
  swapon_file: {
    args: [swapFile],
    result: gives.nothing,
    proc: 172,
    since: '1.0.66',
    short: 'let the appliance swap to a file in the guest',
    help: 'The file must have been made by `mkswap_file`.',
  },
  swapoff_file: {
    args: [swapFile],
    result: gives.nothing,
    proc: 173,
    since: '1.0.66',
    short: 'stop swapping to a file in the guest',
    help: 'Undoes `swapon_file`, as must be done before the filesystem can be unmounted.',
  },
  swapon_label: {
    args: [label],
    result: gives.nothing,
    proc: 174,
    since: '1.0.66',
    short: 'let the appliance swap to the device with a label',
    help: 'As `swapon_device`, found by the label of its swap area.',
  },
  swapoff_label: {
    args: [label],
    result: gives.nothing,
    proc: 175,
    since: '1.0.66',
    short: 'stop swapping to the device with a label',
    help: 'Undoes `swapon_label`, and the memory that is there must fit elsewhere.',
  },
  swapon_uuid: {
    args: [uuid],
    result: gives.nothing,
    proc: 176,
    since: '1.0.66',
    group: 'linuxfsuuid',
    short: 'let the appliance swap to the device with a UUID',
    help: 'As `swapon_device`, found by the UUID of its swap area.',
  },
  swapoff_uuid: {
    args: [uuid],
    result: gives.nothing,
    proc: 177,
    since: '1.0.66',
    group: 'linuxfsuuid',
    short: 'stop swapping to the device with a UUID',
    help: 'Undoes `swapon_uuid`, and the memory that is there must fit elsewhere.',
  },
}));
