/** `guestfs stat`: everything in the status of files. */

import type { Structs } from '../../api/index.js';
import { typeOfMode } from '../../base/index.js';
import { deviceNumbers } from '../../formats/index.js';
import { usageFailure } from '../command/failure.js';
import type { Command } from '../command/invocation.js';
import { statusOptions } from '../command/options.js';
import { expandPaths, Failures } from '../command/paths.js';
import { Accounts } from '../guest/accounts.js';
import { recordOf, recordsJson } from '../guest/file-record.js';
import { isDeviceFile, isSymlink, modeText, permissionsText, timeText } from '../guest/file-words.js';
import { withPath } from '../guest/guest-not-found.js';
import { readImageOperands } from '../guest/image-argument.js';
import { withMountedGuest } from '../guest/mounting.js';
import { humanSize } from '../terminal/sizes.js';
import { visible } from '../terminal/visible.js';

interface Found {
  readonly path: string;
  readonly stat: Structs['statns'];
  readonly target: string | undefined;
}

const typeNames: Readonly<Record<string, string>> = {
  file: 'regular file',
  symlink: 'symbolic link',
  block: 'block device',
  character: 'character device',
};

const momentText = (seconds: number, nanoseconds: number): string =>
  `${timeText(seconds)}.${String(nanoseconds).padStart(9, '0')} +0000`;

/** The layout of GNU stat, which many people know. */
function statLines({ path, stat, target }: Found, accounts: Accounts, isHuman: boolean): string[] {
  const { major, minor } = deviceNumbers(stat.stRdev);
  const name = target === undefined ? visible(path) : `${visible(path)} -> ${visible(target)}`;
  const type = typeOfMode(stat.stMode);
  const device = deviceNumbers(stat.stDev);
  const size = isHuman ? humanSize(stat.stSize) : String(stat.stSize);
  const links = isDeviceFile(stat.stMode)
    ? `Links: ${String(stat.stNlink).padEnd(5)} Device type: ${major},${minor}`
    : `Links: ${stat.stNlink}`;
  const user = `Uid: (${String(stat.stUid).padStart(5)}/${visible(accounts.user(stat.stUid)).padStart(8)})`;
  const group = `Gid: (${String(stat.stGid).padStart(5)}/${visible(accounts.group(stat.stGid)).padStart(8)})`;
  return [
    `  File: ${name}`,
    `  Size: ${size.padEnd(15)} Blocks: ${String(stat.stBlocks).padEnd(10)} IO Block: ${String(stat.stBlksize).padEnd(6)} ${typeNames[type] ?? type}`,
    `Device: ${`${device.major},${device.minor}`.padEnd(11)} Inode: ${String(stat.stIno).padEnd(11)} ${links}`,
    `Access: (${permissionsText(stat.stMode)}/${modeText(stat.stMode)})  ${user}   ${group}`,
    `Access: ${momentText(stat.stAtimeSec, stat.stAtimeNsec)}`,
    `Modify: ${momentText(stat.stMtimeSec, stat.stMtimeNsec)}`,
    `Change: ${momentText(stat.stCtimeSec, stat.stCtimeNsec)}`,
  ];
}

export const stat: Command = {
  options: {
    ...statusOptions,
    dereference: { type: 'flag', short: 'L' },
  },
  async run(invocation) {
    const { options, out } = invocation;
    const { image, paths } = readImageOperands(invocation.operands);
    if (paths.length === 0)
      throw usageFailure('a path inside the image is missing', `write guestfs stat ${image}:/path`);
    await withMountedGuest(invocation, image, async (guest) => {
      const { g, controls } = guest;
      const found: Found[] = [];
      const failures = new Failures(guest);
      const look = async (path: string): Promise<void> => {
        const status = await withPath(guest, path, () =>
          options.flag('dereference') ? g.statns(path, controls) : g.lstatns(path, controls),
        );
        const target = isSymlink(status.stMode) ? await g.readlink(path, controls) : undefined;
        found.push({ path, stat: status, target });
      };
      for (const path of await expandPaths(guest, paths, failures)) await failures.attempt(() => look(path));
      if (options.flag('json'))
        await out.write(recordsJson(found.map((each) => recordOf(each.path, each.stat, each.target))));
      else {
        const accounts = options.flag('numeric') ? Accounts.none : await Accounts.of(guest);
        for (const each of found) await out.lines(statLines(each, accounts, options.flag('human')));
      }
      failures.end();
    });
  },
};
