/** Opening an image: a handle with its drives, launched. */
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { CorruptError, GuestfsError, UnsupportedError } from '../../base/index.js';
import { drivesOfFiles, findLargeSectors, Guestfs } from '../../guestfs/index.js';
import { exitStatus, Failure, usageFailure } from '../command/failure.js';
import type { Invocation } from '../command/invocation.js';
import { backendNames } from '../command/options.js';
import { visible } from '../terminal/visible.js';

type Backend = (typeof backendNames)[number];

function readBackend(name: string | undefined): Backend | undefined {
  if (name === undefined) return undefined;
  const backend = backendNames.find((known) => known === name);
  if (backend === undefined)
    throw usageFailure(`there is no backend '${name}'`, `there are ${backendNames.join(', ')}`);
  return backend;
}

/** Prints a warning for the user, except with `-q`. */
function showWarning({ options, err }: Invocation, message: string): void {
  if (!options.flag('quiet')) err.writeNow(`guestfs: warning: ${visible(message)}\n`);
}

/**
 * A handle with the settings of the options, without drives. Its messages go to standard error; `warn` receives the
 * warnings instead.
 */
export function makeHandle(
  invocation: Invocation,
  warn: (message: string) => void = (message) => showWarning(invocation, message),
): Guestfs {
  const { options, err } = invocation;
  const backend = readBackend(options.text('backend'));
  const g = new Guestfs({
    ...(backend === undefined ? {} : { backend }),
    policy: options.flag('trust') ? 'trusted' : 'untrusted',
    // The handle has escaped the texts that come from guests.
    stderr: { write: (text) => err.writeNow(text) },
  });
  /** Each call that lacks a part of its answer reports that itself. */
  const told = new Set<string>();
  g.setEventCallback(({ message, partial }) => {
    if (partial) invocation.isPartial = true;
    if (partial && told.has(message)) return;
    if (partial) told.add(message);
    warn(message);
  }, 'warning');
  // With -v all messages of the library are shown anyway.
  if (err.isTerminal && !invocation.isQuiet && !options.flag('verbose'))
    g.on('library', (message) => {
      if (!message.startsWith('starting the appliance: ')) return;
      invocation.note(message);
      void invocation.showLaunch(
        () => g.state === 'busy' && g.backend === 'embedded',
        (listener) => g.on('progress', listener),
      );
    });
  if (options.flag('trace')) g.setTrace(true);
  if (options.flag('verbose')) g.setVerbose(true);
  return g;
}

/** Why the policy refuses an image. The message ends with advice for programs, which is left out here. */
const refusal = /; open the image with policy 'trusted'.*$/;

/** Hints for an image that the host or the policy does not let us open. */
function openingHint(error: GuestfsError, image: string, { options }: Invocation): string | undefined {
  if (refusal.test(error.message)) return 'if the image comes from someone you trust, give --trust';
  switch (error.code) {
    case 'ENOENT':
      return image.includes(':') ? 'a path inside an image is written IMAGE:/path' : undefined;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return options.flag('rw') && isReadable(image)
        ? 'the file may be read, and not written, by this user: leave out --rw, or see its permissions'
        : 'the file may not be read by this user: see its permissions and those of its directories';
    case 'EISDIR':
      return 'an image is a file, not a directory';
    case 'EINVAL':
      return error.message.includes('format') ? 'leave out --format to have it detected' : undefined;
    default:
      return undefined;
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false; // then the error of opening it has said why
  }
}

/**
 * Whether a launch error is about an image, or a file that an image names, rather than about something else that a
 * launch needs.
 */
function isAboutImage(error: GuestfsError, image: string): boolean {
  const message = error.bareMessage;
  const isNamed = message.startsWith(`${image}: `) || message.includes(resolve(image));
  return isNamed || refusal.test(message) || /^(?:backing|data) file ‘/.test(message);
}

/**
 * An error of opening, with the status of the opening unless the error's class has one. `images` are all images of
 * the launch: an error about none of them is an error of this machine.
 */
export function openingFailure(
  thrown: unknown,
  image: string,
  invocation: Invocation,
  images?: readonly string[],
): unknown {
  if (!(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') return thrown;
  if (thrown instanceof CorruptError || thrown instanceof UnsupportedError || thrown.code === 'ENOTSUP')
    return thrown;
  const about = images === undefined ? image : images.find((each) => isAboutImage(thrown, each));
  if (about === undefined) return new Failure(thrown.bareMessage);
  const bare = thrown.bareMessage.replace(refusal, '');
  const message = bare.includes(about) || bare.includes(resolve(about)) ? bare : `${about}: ${bare}`;
  return new Failure(message, exitStatus.cannotOpen, openingHint(thrown, about, invocation));
}

/** A drive, and its sector size if it is known. */
interface NamedDrive {
  readonly file: string;
  /** Which disk of an archive with several. */
  readonly member?: string;
  readonly blocksize: 512 | 4096 | undefined;
}

function readBlocksize({ options }: Invocation): NamedDrive['blocksize'] {
  const size = options.text('blocksize');
  return size === undefined ? undefined : size === '4096' ? 4096 : 512;
}

/**
 * A launched handle. Its warnings are held back until `release`; if the handle is closed before, they are dropped.
 */
async function launchDrives(
  invocation: Invocation,
  drives: readonly NamedDrive[],
): Promise<{ g: Guestfs; release: () => void }> {
  const { options } = invocation;
  const readonly = !options.flag('rw');
  const format = options.text('format');
  let held: string[] | undefined = [];
  const release = (): void => {
    for (const message of held ?? []) showWarning(invocation, message);
    held = undefined;
  };
  const g = makeHandle(invocation, (message) => {
    if (held === undefined) showWarning(invocation, message);
    else held.push(message);
  });
  let current = drives[0]?.file ?? '';
  let launched: readonly string[] | undefined;
  try {
    for (const [index, { file, member, blocksize }] of drives.entries()) {
      current = file;
      // The format option applies to the image. The formats of further drives are detected.
      g.addDrive(file, {
        readonly,
        ...(format === undefined || index > 0 ? {} : { format }),
        ...(blocksize === undefined ? {} : { blocksize }),
        ...(member === undefined ? {} : { member }),
      });
    }
    launched = drives.map(({ file }) => file);
    await invocation.withProgress('launch', 'stages', (controls) => g.launch(controls));
    return { g, release };
  } catch (thrown) {
    release();
    await g.close();
    throw openingFailure(thrown, current, invocation, launched);
  }
}

/**
 * The drives with the sector size of their partition tables, if one has a GPT for sectors of 4096 bytes; undefined if
 * none has.
 */
async function withSectorsOfTable(
  g: Guestfs,
  drives: readonly NamedDrive[],
): Promise<readonly NamedDrive[] | undefined> {
  const sizes = await findLargeSectors(g, drives.length);
  return sizes && drives.map((drive, index) => ({ ...drive, blocksize: sizes[index] }));
}

/**
 * A launched handle with the image as its first drive, followed by the other drives: by default those of `-a`. Of an
 * archive all disks are drives.
 */
export class Guest {
  readonly g: Guestfs;
  /** As the user named it. */
  readonly image: string;
  readonly invocation: Invocation;

  private constructor(g: Guestfs, image: string, invocation: Invocation) {
    this.g = g;
    this.image = image;
    this.invocation = invocation;
  }

  /** Rejects with a {@link Failure} that says why the image cannot be opened, or a GuestfsError about what is in it. */
  static async open(
    invocation: Invocation,
    image: string,
    others: readonly string[] = invocation.options.list('add'),
  ): Promise<Guest> {
    const blocksize = readBlocksize(invocation);
    const files = await drivesOfFiles([image, ...others], invocation.options.text('format'));
    const drives: readonly NamedDrive[] = files.map((drive) => ({ ...drive, blocksize }));
    const first = await launchDrives(invocation, drives);
    const found = blocksize === undefined ? await withSectorsOfTable(first.g, drives) : undefined;
    if (found === undefined) {
      first.release();
      return new Guest(first.g, image, invocation);
    }
    await first.g.close();
    for (const { file } of found.filter(({ blocksize }) => blocksize !== undefined))
      invocation.note(`${file}: its partition table is for sectors of 4096 bytes, and it is read as such`);
    const { g, release } = await launchDrives(invocation, found);
    release();
    return new Guest(g, image, invocation);
  }

  get controls(): { signal: AbortSignal } {
    return { signal: this.invocation.signal };
  }

  async close(): Promise<void> {
    await this.g.close();
  }
}

/** Opens an image for the time of `work`. */
export async function withGuest<T>(
  invocation: Invocation,
  image: string,
  work: (guest: Guest) => Promise<T>,
): Promise<T> {
  const guest = await Guest.open(invocation, image);
  try {
    return await work(guest);
  } finally {
    await guest.close();
  }
}
