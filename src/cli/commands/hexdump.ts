/** `guestfs hexdump`: the bytes of a file or a device. */
import { HexDump } from '../../formats/index.js';
import { usageFailure } from '../command/failure.js';
import type { Command, Invocation } from '../command/invocation.js';
import { guestOptions } from '../command/options.js';
import { type Guest, withGuest } from '../guest/guest.js';
import { withPath } from '../guest/guest-not-found.js';
import { readImageOperands, readOneImage } from '../guest/image-argument.js';
import { withMountedGuest } from '../guest/mounting.js';

/** Bytes that are read at once. */
const pieceLength = 256 * 1024;

/** Reads up to `length` bytes at an offset; fewer, or none, at the end. */
type Read = (count: number, offset: number) => Promise<Uint8Array>;

async function dump(read: Read, invocation: Invocation): Promise<void> {
  const { options, out } = invocation;
  const start = options.number('offset') ?? 0;
  const length = options.number('length') ?? Number.POSITIVE_INFINITY;
  const lines = new HexDump(start);
  for (let done = 0; done < length; ) {
    const piece = await read(Math.min(pieceLength, length - done), start + done);
    if (piece.length === 0) break;
    await out.write(lines.add(piece));
    done += piece.length;
  }
  await out.write(lines.end());
}

export const hexdump: Command = {
  options: {
    ...guestOptions,
    device: { type: 'text', short: 'd' },
    offset: { type: 'size', short: 's' },
    length: { type: 'size', short: 'n' },
  },
  async run(invocation) {
    const { options, operands } = invocation;
    const device = options.text('device');
    if (device !== undefined) {
      const name = device.startsWith('/') ? device : `/dev/${device}`;
      return await withGuest(invocation, readOneImage(operands), async ({ g, controls }: Guest) => {
        const size = await g.blockdevGetsize64(name, controls);
        // Reading a device stops at its end.
        const read: Read = (count, offset) =>
          offset >= size
            ? Promise.resolve(new Uint8Array(0))
            : g.preadDevice(name, Math.min(count, size - offset), offset, controls);
        await dump(read, invocation);
      });
    }
    const { image, paths } = readImageOperands(operands);
    const [path, ...more] = paths;
    if (path === undefined)
      throw usageFailure(
        'a path inside the image is missing',
        `for a device write guestfs hexdump -d /dev/sda ${image}`,
      );
    if (more.length > 0) throw usageFailure(`${more[0]} is too much`, 'one file at a time');
    await withMountedGuest(invocation, image, async (guest) => {
      const { g, controls } = guest;
      await withPath(guest, path, () =>
        dump((count, offset) => g.pread(path, count, offset, controls), invocation),
      );
    });
  },
};
