/**
 * Linux software RAID.
 */
import { device, deviceList, gives, optional, string, topic } from '../action.js';

const array = device('md', 'the array');

export const md = topic('Software RAID', () => ({
  md_create: {
    args: [string('name', 'name of the array'), deviceList('devices', 'the members of the array')],
    options: {
      missingbitmap: optional.int64(
        'a set bit leaves the place of that number, from bit 0 on, empty for now',
      ),
      nrdevices: optional.int('how many devices are active; all, with the missing ones, by default'),
      spare: optional.int('how many devices are spare'),
      chunk: optional.int64('the chunk in bytes; not for `raid1`'),
      level: optional.string('`raid1` by default; `linear`, `raid0`, `raid4`, `raid5`, `raid6`, `raid10`'),
    },
    result: gives.nothing,
    proc: 299,
    since: '1.15.6',
    group: 'mdadm',
    by: 'appliance',
    short: 'make a RAID',
    help: 'Makes the array `name` from `devices`, whose contents are lost.',
  },
  md_detail: {
    args: [array],
    result: gives.table('plain', 'plain'),
    proc: 301,
    since: '1.15.6',
    group: 'mdadm',
    by: 'appliance',
    reads: true,
    short: 'describe a RAID',
    help: 'Gives `level`, `devices`, `metadata`, `uuid`, `name` and others, as the program mdadm prints them.',
  },
  md_stat: {
    args: [array],
    result: gives.structs('mdstat'),
    proc: 316,
    since: '1.17.21',
    group: 'mdadm',
    by: 'appliance',
    reads: true,
    short: 'list the devices of a RAID and their state',
    help: 'Gives the index of each and letters for its state: `F` faulty, `S` spare, `W` mostly written, `R` a replacement.',
  },
  md_stop: {
    args: [array],
    result: gives.nothing,
    proc: 302,
    since: '1.15.6',
    group: 'mdadm',
    by: 'appliance',
    reads: true,
    short: 'stop a RAID',
    help: 'Takes the device away; its members stay as they are and can be put together again. Nothing on it may be mounted.',
  },
  list_md_devices: {
    args: [],
    result: gives.devices,
    proc: 300,
    since: '1.15.4',
    reads: true,
    short: 'list the devices that are RAIDs',
    help: 'Gives `/dev/md127` and the like, of arrays that are active.',
  },
}));
