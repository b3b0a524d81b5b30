/** What scenarios that write start from. The drives are blank at first, and have what earlier scenarios left on them. */
import type { Scenario, Step } from '../scenario.js';

/** 320 MiB: room for btrfs. */
export const middle = '/dev/sdb';
/** 64 MiB each. */
export const small = '/dev/sdc';
export const twin = '/dev/sdd';

/** Nothing is known of what a drive held. */
export function blank(...devices: readonly string[]): Step[] {
  return devices.flatMap((device): Step[] => [
    ['wipefs', device],
    ['zero', device],
    ['blockdev_rereadpt', device],
  ]);
}

/** On a new ext4 filesystem, mounted. */
export function onNewExt4(name: string, ...steps: readonly Step[]): Scenario {
  return { name, steps: [...blank(small), ['mkfs', 'ext4', small], ['mount', small, '/'], ...steps] };
}

/** What the appliance's own shell says: of what no action tells. The guest is in /sysroot. */
export const shell = (command: string): Step => ['debug', 'sh', [command]];

/** Type, mode, owner, size and link of files of the guest. */
export const status = (...paths: readonly string[]): Step =>
  shell(`cd /sysroot && stat -c '%n %f %u %g %h %N' ${paths.map((path) => `.${path}`).join(' ')}`);
