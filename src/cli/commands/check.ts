/** `guestfs check`: the tables of an image file, and their repair. */
import { checkImage, type ImageCheck } from '../../guestfs/index.js';
import { exitStatus, Reported, usageFailure } from '../command/failure.js';
import type { Command } from '../command/invocation.js';
import { progressOptions } from '../command/options.js';
import { openingFailure } from '../guest/guest.js';
import { readOneImage } from '../guest/image-argument.js';
import type { SizeFormat } from '../terminal/sizes.js';
import { visible } from '../terminal/visible.js';

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

function checkLines(check: ImageCheck, image: string, size: SizeFormat): string[] {
  const { corruptions, leaks, problems } = check;
  const lines = problems.map((problem) => visible(problem));
  const left = corruptions + leaks - problems.length;
  if (left > 0) lines.push(`… and ${left} more`);
  if (check.isMarkedCorrupt) lines.push('the image is marked corrupt');
  if (check.isMarkedDirty) lines.push('the image was not closed properly');
  const found =
    corruptions + leaks === 0
      ? 'no errors'
      : [
          ...(corruptions > 0 ? [counted(corruptions, 'corruption', 'corruptions')] : []),
          ...(leaks > 0 ? [counted(leaks, 'leaked cluster', 'leaked clusters')] : []),
        ].join(', ');
  lines.push(
    `${visible(image)}: ${check.format}, ${found}; ${check.allocatedClusters} of ${check.totalClusters} clusters in use, up to ${size(check.imageEndOffset)}`,
  );
  return lines;
}

export const check: Command = {
  options: {
    ...progressOptions,
    format: { type: 'text' },
    rw: { type: 'flag' },
    repair: { type: 'choice', choices: ['leaks', 'all'] },
    bytes: { type: 'flag', short: 'b' },
    human: { type: 'flag', short: 'h' },
    json: { type: 'flag' },
  },
  async run(invocation) {
    const { options, out, err, sizeFormat } = invocation;
    const image = readOneImage(invocation.operands);
    const format = options.text('format');
    const repair = options.text('repair') as 'leaks' | 'all' | undefined; // safe: the option is a choice of these
    if (repair !== undefined && !options.flag('rw'))
      throw usageFailure('--repair changes the image', 'add --rw to change it');
    const result = await invocation
      .withProgress(image, 'steps', (controls) =>
        checkImage(image, { format, repair, stderr: { write: (text) => err.writeNow(text) }, ...controls }),
      )
      .catch((thrown: unknown) => {
        throw openingFailure(thrown, image, invocation);
      });
    if (options.flag('json')) await invocation.printJson({ image, ...result });
    else await out.lines(checkLines(result, image, sizeFormat));
    if (result.corruptions > 0 || result.isMarkedCorrupt) throw new Reported(exitStatus.corrupt);
    if (result.leaks > 0) throw new Reported(exitStatus.failure);
  },
};
