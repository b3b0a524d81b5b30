/**
 * Linux software RAID.
 */
import { device, deviceList, gives, string, topic } from '../action.js';

export const md = topic('Software RAID', {
  md_create: {
    args: [string('name'), deviceList('devices')],
    options: { missingbitmap: 'int64', nrdevices: 'int', spare: 'int', chunk: 'int64', level: 'string' },
    result: gives.nothing,
    proc: 299,
    since: '1.15.6',
    group: 'mdadm',
    short: 'make a RAID',
    help: 'Makes the array `name` from `devices`, whose contents are lost.\n\n- `level`: `raid1` by default; `linear`, `raid0`, `raid4`, `raid5`, `raid6`, `raid10`.\n- `missingbitmap`: a set bit leaves the place of that number, from bit 0 on, empty for now.\n- `nrdevices`: how many devices are active; all, with the missing ones, by default. `spare`: how many are spare.\n- `chunk`: the chunk in bytes; not for `raid1`.',
  },
  md_detail: {
    args: [device('md')],
    result: gives.table('plain', 'plain'),
    proc: 301,
    since: '1.15.6',
    group: 'mdadm',
    short: 'describe a RAID',
    help: 'Gives `level`, `devices`, `metadata`, `uuid`, `name` and others, as the program mdadm prints them.',
  },
  md_stat: {
    args: [device('md')],
    result: gives.structs('mdstat'),
    proc: 316,
    since: '1.17.21',
    group: 'mdadm',
    short: 'list the devices of a RAID and their state',
    help: 'Gives the index of each and letters for its state: `F` faulty, `S` spare, `W` mostly written, `R` a replacement.',
  },
  md_stop: {
    args: [device('md')],
    result: gives.nothing,
    proc: 302,
    since: '1.15.6',
    group: 'mdadm',
    short: 'stop a RAID',
    help: 'Takes the device away; its members stay as they are and can be put together again. Nothing on it may be mounted.',
  },
  list_md_devices: {
    args: [],
    result: gives.devices,
    proc: 300,
    since: '1.15.4',
    short: 'list the devices that are RAIDs',
    help: 'Gives `/dev/md127` and the like, of arrays that are active.',
  },
});
