/** `guestfs create`: a new, empty image. */
import { existsSync } from 'node:fs';
import { imageInfo } from '../../guestfs/index.js';
import { usageFailure } from '../command/failure.js';
import type { Command, Invocation } from '../command/invocation.js';
import { makeHandle, openingFailure } from '../guest/guest.js';
import { parseSize } from '../terminal/sizes.js';

const formats = ['raw', 'qcow2'] as const;

/** By the ending of its name, as people name images; raw otherwise. */
const formatOf = (path: string): (typeof formats)[number] => (path.endsWith('.qcow2') ? 'qcow2' : 'raw');

function readOperands({ operands, options }: Invocation): { path: string; sizeInBytes: number } {
  const [path, word, ...others] = operands;
  if (path === undefined) throw usageFailure('the name of the new image is missing');
  if (others.length > 0) throw usageFailure(`one image at a time: what is ${others[0]}?`);
  const hasBacking = options.text('backing') !== undefined;
  if (word === undefined && !hasBacking)
    throw usageFailure('the size of the disk is missing', 'write 20G or 512M');
  if (word !== undefined && hasBacking) throw usageFailure('the disk takes the size of its backing file');
  const sizeInBytes = word === undefined ? -1 : parseSize(word);
  if (sizeInBytes === undefined)
    throw usageFailure(`'${word}' is no number of bytes`, 'write 4096, 0x1000, 4K or 1M');
  if (existsSync(path) && !options.flag('force'))
    throw usageFailure(`${path} is there already`, 'give --force to replace it');
  return { path, sizeInBytes };
}

export const create: Command = {
  options: {
    format: { type: 'choice', choices: formats },
    backing: { type: 'text' },
    'backing-format': { type: 'text' },
    preallocation: { type: 'choice', choices: ['off', 'sparse', 'metadata', 'full'] },
    compat: { type: 'choice', choices: ['0.10', '1.1'] },
    'cluster-size': { type: 'size' },
    force: { type: 'flag' },
    json: { type: 'flag' },
  },
  async run(invocation) {
    const { options, out, signal, sizeFormat } = invocation;
    const { path, sizeInBytes } = readOperands(invocation);
    const format = options.text('format') ?? formatOf(path);
    const given = {
      backingfile: options.text('backing'),
      backingformat: options.text('backing-format'),
      preallocation: options.text('preallocation'),
      compat: options.text('compat'),
      clustersize: options.number('cluster-size'),
    };
    const g = makeHandle(invocation);
    try {
      await g.diskCreate(path, format, sizeInBytes, { ...given, signal });
    } catch (thrown) {
      throw openingFailure(thrown, path, invocation);
    } finally {
      await g.close();
    }
    const { virtualSizeInBytes } = await imageInfo(path, format);
    if (options.flag('json'))
      await invocation.printJson({ image: path, format, sizeInBytes: virtualSizeInBytes });
    else await out.lines([`${path}: ${format}, ${sizeFormat(virtualSizeInBytes)}`]);
  },
};
