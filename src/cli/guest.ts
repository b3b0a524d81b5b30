/** Opening an image: a handle with its drives, launched. */
import { CorruptError, GuestfsError, UnsupportedError } from '../base/index.js';
import { Guestfs } from '../guestfs/index.js';
import { exitStatus, Failure, usageFailure } from './failure.js';
import type { Invocation } from './invocation.js';
import { visible } from './visible.js';

const backends = ['embedded', 'direct', 'auto'] as const;
type Backend = (typeof backends)[number];

function readBackend(name: string | undefined): Backend | undefined {
  if (name === undefined) return undefined;
  const backend = backends.find((known) => known === name);
  if (backend === undefined)
    throw usageFailure(`there is no backend '${name}'`, `there are ${backends.join(', ')}`);
  return backend;
}

/** A handle as the options want it, without drives. What it has to say goes to standard error. */
export function makeHandle({ options, err }: Invocation): Guestfs {
  const backend = readBackend(options.text('backend'));
  const g = new Guestfs({
    ...(backend === undefined ? {} : { backend }),
    policy: options.flag('trust') ? 'trusted' : 'untrusted',
    // The handle has escaped what guests have chosen.
    stderr: { write: (text) => err.writeNow(text) },
  });
  const isQuiet = options.flag('quiet');
  g.on('warning', (message) => {
    if (!isQuiet) err.writeNow(`guestfs: warning: ${visible(message)}\n`);
  });
  if (options.flag('trace')) g.setTrace(true);
  if (options.flag('verbose')) g.setVerbose(true);
  return g;
}

/** The message of an error without the action in front. */
export function bareMessage(error: GuestfsError): string {
  const prefix = error.action === undefined ? '' : `${error.action}: `;
  return error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
}

/** What to do about an image that the host does not let us open. */
function openingHint(error: GuestfsError, image: string): string | undefined {
  switch (error.code) {
    case 'ENOENT':
      return image.includes(':') ? 'a path inside an image is written IMAGE:/path' : undefined;
    case 'EACCES':
      return 'the file may not be read by this user: see its permissions and those of its directories';
    case 'EPERM':
      return 'if the image comes from someone you trust, give --trust';
    case 'EISDIR':
      return 'an image is a file, not a directory';
    case 'EINVAL':
      return error.message.includes('format') ? 'leave out --format to have it detected' : undefined;
    default:
      return undefined;
  }
}

/** An error of opening, with the status of its own unless its class has one. */
export function openingFailure(thrown: unknown, image: string): unknown {
  if (!(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') return thrown;
  if (thrown instanceof CorruptError || thrown instanceof UnsupportedError || thrown.code === 'ENOTSUP')
    return thrown;
  const bare = bareMessage(thrown).replace(/; open the image with policy 'trusted'.*$/, '');
  const message = bare.includes(image) ? bare : `${image}: ${bare}`;
  return new Failure(message, exitStatus.cannotOpen, openingHint(thrown, image));
}

/** A launched handle with the image as its first drive, then the others: those of `-a` unless told. */
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
    const { options } = invocation;
    const readonly = !options.flag('rw');
    const format = options.text('format');
    const g = makeHandle(invocation);
    let current = image;
    try {
      // The format is that of the image; further drives tell their own by themselves.
      g.addDrive(image, { readonly, ...(format === undefined ? {} : { format }) });
      for (const file of others) {
        current = file;
        g.addDrive(file, { readonly });
      }
      if (others.length === 0) current = image;
      await invocation.withProgress('launch', 'stages', (controls) => g.launch(controls));
      return new Guest(g, image, invocation);
    } catch (thrown) {
      await g.close();
      throw openingFailure(thrown, current);
    }
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
