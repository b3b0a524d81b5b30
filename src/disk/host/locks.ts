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
const held = [read, write, resize];
const unshared = [write, resize];
const heldFrom = 100;
const unsharedFrom = 200;
/** Past the last permission, as /proc/locks tells ranges. */
const lockEnd = 300;
/** Linux: F_OFD_GETLK, F_OFD_SETLK, F_RDLCK, F_WRLCK, F_UNLCK. */
const fcntl = { get: 36, set: 37, readLock: 0, writeLock: 1, unlocked: 2 } as const;

/** EAGAIN, EACCES: what fcntl(2) says of a lock that another holds. */
const busyErrors = [11, 13] as const;

/** The bytes to lock, and those that nobody else may have locked. */
const bytesToHold = [...held.map((n) => heldFrom + n), ...unshared.map((n) => unsharedFrom + n)];
const bytesToTest = [...held.map((n) => unsharedFrom + n), ...unshared.map((n) => heldFrom + n)];

/** What a helper says: `locked`, `busy` or an error's text. Its descriptor 3 is the image. */
const helpers: readonly HelperProgram[] = [
  [
    'perl',
    '-e',
    `open(my $f, '+<&=', 3) or die $!;
sub ask { my ($cmd, $type, $at) = @_; my $lock = pack('s s x4 q q i x4', $type, 0, $at, 1, 0);
  defined(fcntl($f, $cmd, $lock)) or do { print $! == ${busyErrors[0]} || $! == ${busyErrors[1]} ? 'busy' : "$!"; exit };
  (unpack('s', $lock))[0] }
ask(${fcntl.set}, ${fcntl.readLock}, $_) for (${bytesToHold.join(',')});
ask(${fcntl.get}, ${fcntl.writeLock}, $_) == ${fcntl.unlocked} or do { print 'busy'; exit } for (${bytesToTest.join(',')});
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
for at in (${bytesToHold.join(',')}): ask(${fcntl.set}, ${fcntl.readLock}, at)
for at in (${bytesToTest.join(',')}):
    if ask(${fcntl.get}, ${fcntl.writeLock}, at) != ${fcntl.unlocked}: print('busy', end=''); sys.exit()
print('locked', end='')`,
  ],
];

/**
 * Takes the locks of a writer on an open file. EBUSY, where qemu or another handle has the image open for writing, or
 * reads it and counts on its staying the same. Returns why no lock could be taken, or undefined.
 */
export function lockImage(fd: number, path: string): string | undefined {
  const said = askHelper(helpers, fd, (text) => text === 'locked' || text === 'busy');
  if ('problem' in said) {
    // Without locks of our own, those of others can still be seen.
    if (isLockedByOthers(fd)) throw busy(fd, path);
    return said.problem;
  }
  if (said.answer === 'busy') throw busy(fd, path);
  return undefined;
}

function busy(fd: number, path: string): GuestfsError {
  const users = usersOf(fd);
  const who = users.length === 0 ? 'a virtual machine or another handle' : users.join(', ');
  return new GuestfsError(
    'EBUSY',
    `${path}: is in use by ${who}; stop that first, or open the image read-only`,
  );
}

/** Whether /proc/locks has a lock of qemu's kind on the file. */
function isLockedByOthers(fd: number): boolean {
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
    return file === name && Number(first) < lockEnd && (last === 'EOF' || Number(last) >= heldFrom);
  });
}

/** Processes that have the file open, as far as this one may see them: `qemu-system-x86 (process 4711)`. */
function usersOf(fd: number): string[] {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  const users: string[] = [];
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
    users.push(mine ? 'another handle of this process' : `${name} (process ${process_})`);
  }
  return users;
}
