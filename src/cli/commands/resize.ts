/** `guestfs resize`: another size for the disk in an image. */
import { resizeImage } from '../../guestfs/index.js';
import { usageFailure } from '../command/failure.js';
import type { Command } from '../command/invocation.js';
import { openingFailure } from '../guest/guest.js';
import { splitImageArgument } from '../guest/image-argument.js';
import { parseSize } from '../terminal/sizes.js';

/** `20G`, `+1G`, `-512M`: the new size of a disk in bytes, or the change of it. */
function sizeFrom(word: string): number | { readonly changeInBytes: number } {
  const sign = /^[+-]/.exec(word)?.[0];
  const bytes = parseSize(sign === undefined ? word : word.slice(1));
  if (bytes === undefined)
    throw usageFailure(`'${word}' is no size`, 'write 20G for a size, +1G or -1G for a change of it');
  return sign === undefined ? bytes : { changeInBytes: sign === '-' ? -bytes : bytes };
}

export const resize: Command = {
  options: {
    format: { type: 'text' },
    rw: { type: 'flag' },
    shrink: { type: 'flag' },
    trust: { type: 'flag' },
    json: { type: 'flag' },
  },
  async run(invocation) {
    const { operands, options, out, err, signal, sizeFormat } = invocation;
    const [operand, word, ...others] = operands;
    if (operand === undefined) throw usageFailure('an image is missing');
    if (word === undefined)
      throw usageFailure('the new size is missing', 'write 20G, or +1G for so much more');
    if (others.length > 0) throw usageFailure(`one image at a time: what is ${others[0]}?`);
    const { image, path } = splitImageArgument(operand);
    if (path !== undefined) throw usageFailure(`this changes whole images, not the path ${path}`);
    const size = sizeFrom(word);
    if (!options.flag('rw')) throw usageFailure('this changes the image', 'add --rw to change it');
    const format = options.text('format');
    const { before, after } = await resizeImage(image, size, {
      format,
      shrink: options.flag('shrink'),
      policy: options.flag('trust') ? 'trusted' : 'untrusted',
      stderr: { write: (text) => err.writeNow(text) },
      signal,
    }).catch((thrown: unknown) => {
      throw openingFailure(thrown, image, invocation);
    });
    if (options.flag('json')) await invocation.printJson({ image, sizeBefore: before, sizeInBytes: after });
    else await out.lines([`${image}: ${sizeFormat(before)} before, ${sizeFormat(after)} now`]);
  },
};
