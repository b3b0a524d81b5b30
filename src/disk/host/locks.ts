/**
 * Locks on images that are written to: those of qemu, so that neither writes to what the other has open. Source: qemu,
 * block/file-posix.c and include/block/block-common.h.
 *
 * A byte stands for each permission: 100 + n is locked by who has it, 200 + n by who does not share it. The locks are
 * those of Linux that belong to an open file (fcntl, F_OFD_SETLK), so they end with its descriptor however the process
 * ends. Node cannot take them. A helper can: it inherits the descriptor, takes the locks and exits, and they stay.
 */
import { fstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { GuestfsError } from '../../base/index.js';
import { askHelper, type HelperProgram } from './helper.js';

/** The numbers of permissions: to read what stays the same meanwhile, to write, to change the size. */
const permissions = { read: 0, write: 1, resize: 3 } as const;
const { read, write, resize } = permissions;
/**
 * What a user of a file does with it, and what nobody else may do meanwhile: who writes to an image, and who reads one
 * below that, which in a raw file may be written to by others, as qemu has it.
 */
const users = {
  writer: { holds: [read, write, resize], excludes: [write, resize] },
  reader: { holds: [read], excludes: [write, resize] },
  'reader of raw': { holds: [read], excludes: [] },
} as const;
const heldFrom = 100;
const unsharedFrom = 200;
/** Linux: F_OFD_GETLK, F_OFD_SETLK, F_RDLCK, F_WRLCK, F_UNLCK. */
const fcntl = { get: 36, set: 37, readLock: 0, writeLock: 1, unlocked: 2 } as const;

/** EAGAIN, EACCES: what fcntl(2) says of a lock that another holds. */
const busyErrors = [11, 13] as const;

export type ImageUser = keyof typeof users;

/** What a helper says: `locked`, `busy` or an error's text. It locks some bytes, and nobody may have locked others. */
const helpersFor = (toHold: readonly number[], toTest: readonly number[]): readonly HelperProgram[] => [
  [
    'perl',
    '-e',
    `open(my $f, '<&=', 3) or die $!;
sub ask { my ($cmd, $type, $at) = @_; my $lock = pack('s s x4 q q i x4', $type, 0, $at, 1, 0);
  defined(fcntl($f, $cmd, $lock)) or do { print $! == ${busyErrors[0]} || $! == ${busyErrors[1]} ? 'busy' : "$!"; exit };
  (unpack('s', $lock))[0] }
ask(${fcntl.set}, ${fcntl.readLock}, $_) for (${toHold.join(',')});
ask(${fcntl.get}, ${fcntl.writeLock}, $_) == ${fcntl.unlocked} or do { print 'busy'; exit } for (${toTest.join(',')});
print 'locked';`,
  ],
  [
    'python3',
    '-c',
    `import fcntl, struct, sys
def ask(cmd, kind, at):
    try: return struct.unpack('hh4xqqi4x', fcntl.fcntl(3, cmd, struct.pack('hh4xqqi4x', kind, 0, at, 1, 0)))[0]
    except OSError as e:
        print('busy' if e.errno in (${busyErrors.join(',')}) else e.strerror, end=''); sys.exit()
for at in (${toHold.join(',')}): ask(${fcntl.set}, ${fcntl.readLock}, at)
for at in (${toTest.join(',')}):
    if ask(${fcntl.get}, ${fcntl.writeLock}, at) != ${fcntl.unlocked}: print('busy', end=''); sys.exit()
print('locked', end='')`,
  ],
];

/**
 * Takes the locks of a user on an open file. EBUSY, where qemu or another handle has the image open for writing, or
 * counts on its staying the same. Returns why no lock could be taken, or undefined.
 */
export function lockImage(fd: number, path: string, user: ImageUser): string | undefined {
  const { holds, excludes } = users[user];
  const bytesOf = (held: readonly number[], unshared: readonly number[]): number[] => [
    ...held.map((n) => heldFrom + n),
    ...unshared.map((n) => unsharedFrom + n),
  ];
  const tested = bytesOf(excludes, holds);
  const helpers = helpersFor(bytesOf(holds, excludes), tested);
  const said = askHelper(helpers, fd, (text) => text === 'locked' || text === 'busy');
  if ('problem' in said) {
    // Without locks of our own, those of others can still be seen.
    if (isLockedByOthers(fd, tested)) throw busy(fd, path);
    return said.problem;
  }
  if (said.answer === 'busy') throw busy(fd, path);
  return undefined;
}

function busy(fd: number, path: string): GuestfsError {
  const found = usersOf(fd);
  const who = found.length === 0 ? 'a virtual machine or another handle' : found.join(', ');
  return new GuestfsError(
    'EBUSY',
    `${path}: is in use by ${who}; stop that first, or open the image read-only`,
  );
}

/** Whether /proc/locks has a lock on one of these bytes of the file. */
function isLockedByOthers(fd: number, tested: readonly number[]): boolean {
  let text: string;
  try {
    text = readFileSync('/proc/locks', 'latin1');
  } catch {
    return false; // another system: nothing is known, as the caller says
  }
  const { dev, ino } = fstatSync(fd, { bigint: true });
  const hex = (number: bigint): string => number.toString(16).padStart(2, '0');
  const major = (dev >> 8n) & 0xfffn;
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xfff00n);
  const name = `${hex(major)}:${hex(minor)}:${ino}`;
  return text.split('\n').some((line) => {
    const [, kind, , , , file, first, last] = line.trim().split(/\s+/);
    if (kind !== 'OFDLCK' && kind !== 'POSIX') return false;
    if (file !== name) return false;
    return tested.some((at) => Number(first) <= at && (last === 'EOF' || at <= Number(last)));
  });
}

/** Processes that have the file open, as far as this one may see them: `qemu-system-x86 (process 4711)`. */
function usersOf(fd: number): string[] {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  const found: string[] = [];
  const quietly = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch {
      return undefined; // processes end, and those of others cannot be looked at
    }
  };
  for (const process_ of quietly(() => readdirSync('/proc')) ?? []) {
    if (!/^\d+$/.test(process_)) continue;
    const mine = Number(process_) === process.pid;
    const open = (quietly(() => readdirSync(`/proc/${process_}/fd`)) ?? []).filter((each) => {
      const place = `/proc/${process_}/fd/${each}`;
      if (mine && Number(each) === fd) return false;
      if (!quietly(() => readlinkSync(place))?.startsWith('/')) return false;
      const stats = quietly(() => statSync(place, { bigint: true }));
      return stats?.dev === dev && stats.ino === ino;
    });
    if (open.length === 0) continue;
    const name = quietly(() => readFileSync(`/proc/${process_}/comm`, 'utf8').trim()) ?? 'a process';
    found.push(mine ? 'another handle of this process' : `${name} (process ${process_})`);
  }
  return found;
}
