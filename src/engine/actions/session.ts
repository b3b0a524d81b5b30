/** About the engine itself: whether it answers, and what shows its workings. */

import { GuestfsError, monotonicTime } from '../../base/index.js';
import { isSubvolume, noSubvolume } from '../../formats/index.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

/** Sleeps, but notices a cancellation. `told` is called at every waking with the milliseconds passed. */
function sleep(call: Call, milliseconds: number, told: (passed: number) => void, nap = 20): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  const start = monotonicTime();
  for (let passed = 0; passed < milliseconds; passed = monotonicTime() - start) {
    call.checkpoint();
    told(passed);
    Atomics.wait(clock, 0, 0, Math.min(nap, milliseconds - passed));
  }
}

/** `debug progress SECONDS [MICROSECONDS]`: takes that long, and reports progress at that rate. */
function debugProgress(call: Call, [seconds = '', rate = '100000']: readonly string[]): string {
  const total = Number(seconds);
  const interval = Number(rate) / 1000;
  if (!(total > 0 && total <= 3600))
    throw new GuestfsError('EINVAL', `progress: expecting 1 to 3600 seconds, not '${seconds}'`);
  if (!(interval >= 1))
    throw new GuestfsError(
      'EINVAL',
      `progress: expecting a rate of 1000 microseconds or more, not '${rate}'`,
    );
  sleep(call, total * 1000, (passed) => call.progress(Math.floor(passed), total * 1000), interval);
  return 'ok';
}

const subcommands: Readonly<
  Record<string, { help: string; run: (call: Call, args: readonly string[]) => string }>
> = {
  help: {
    help: 'list the subcommands',
    run: () =>
      Object.entries(subcommands)
        .map(([name, { help }]) => `${name}: ${help}\n`)
        .join(''),
  },
  memory: {
    help: "tell how much memory the engine's thread uses, in bytes",
    run: () =>
      Object.entries(process.memoryUsage())
        .map(([name, bytes]) => `${name}: ${bytes}\n`)
        .join(''),
  },
  progress: {
    help: 'SECONDS [MICROSECONDS]: take that long, with progress at that rate',
    run: debugProgress,
  },
  exhaust: {
    help: "[MEGABYTES]: take so much memory, or until the engine's thread ends: for tests of what happens then",
    run: (call, [megabytes = 'Infinity']) => {
      // Arrays of numbers are on the thread's own heap, whose limit this tests.
      const hoard: number[][] = [];
      while (hoard.length * 8 < Number(megabytes)) {
        call.checkpoint();
        hoard.push(Array.from({ length: 1_000_000 }, (_, index) => index + 0.5));
      }
      return 'ok';
    },
  },
  mounts: {
    help: 'list what is mounted, with options',
    run: (call) =>
      call.session.mounts
        .mounts()
        .map(
          ({ source, mountpoint, fileSystem, readonly }) =>
            `${source} ${mountpoint} ${fileSystem.type} ${readonly ? 'ro' : 'rw'}\n`,
        )
        .join(''),
  },
};

export const sessionHandlers = {
  ping_daemon: (call) => call.checkpoint(),
  echo_daemon: (_call, words) => words.join(' '),
  sleep(call, seconds) {
    if (seconds < 0) throw new GuestfsError('EINVAL', `${seconds}: expecting a number of seconds`);
    sleep(call, seconds * 1000, () => {});
  },
  debug(call, name, args) {
    const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
    if (subcommand === undefined) {
      throw new GuestfsError('EINVAL', `${name}: unknown subcommand: see 'debug help'`);
    }
    return subcommand.run(call, args);
  },
  mountable_device: (call, mountable) => call.session.devices.parseMountable(mountable).device.name,
  mountable_subvolume(call, mountable) {
    const subvolume = isSubvolume(mountable)
      ? call.session.devices.parseMountable(mountable).subvolume
      : undefined;
    if (subvolume === undefined) throw noSubvolume(mountable);
    return subvolume;
  },
} satisfies TopicHandlers;
