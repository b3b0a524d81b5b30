/** `guestfs make-fs`: a new image of directories and archives. */
import { existsSync } from 'node:fs';
import { makeFilesystem } from '../../guestfs/index.js';
import { usageFailure } from '../command/failure.js';
import type { Command } from '../command/invocation.js';
import { progressOptions } from '../command/options.js';
import { withLittleInlining } from '../guest/compiling.js';
import { openingFailure } from '../guest/guest.js';

const types = ['ext2', 'ext3', 'ext4', 'vfat'] as const;
const formats = ['raw', 'qcow2'] as const;
const tables = ['gpt', 'mbr'] as const;

export const makeFs: Command = {
  options: {
    ...progressOptions,
    output: { type: 'text', short: 'o' },
    type: { type: 'choice', choices: types },
    label: { type: 'text' },
    free: { type: 'size' },
    partition: { type: 'choice', choices: tables },
    efi: { type: 'list' },
    format: { type: 'choice', choices: formats },
    force: { type: 'flag' },
    json: { type: 'flag' },
  },
  async run(invocation) {
    const { operands: sources, options, out, err, signal, sizeFormat } = invocation;
    const image = options.text('output');
    if (sources.length === 0) throw usageFailure('a directory or an archive is missing');
    if (image === undefined) throw usageFailure('the name of the new image is missing', 'write -o IMAGE');
    if (existsSync(image) && !options.flag('force'))
      throw usageFailure(`${image} is there already`, 'give --force to replace it');
    const type = types.find((name) => name === options.text('type')) ?? 'ext4';
    const format =
      formats.find((name) => name === options.text('format')) ?? (image.endsWith('.qcow2') ? 'qcow2' : 'raw');
    const efi = options.list('efi');
    const table = tables.find((name) => name === options.text('partition'));
    const made = await invocation
      .withProgress(image, 'bytes', ({ onProgress }) =>
        withLittleInlining(() =>
          makeFilesystem(sources, image, {
            type,
            format,
            label: options.text('label'),
            // Firmware finds such a partition by a table alone.
            partition: table ?? (efi.length > 0 ? 'gpt' : undefined),
            efi: efi.length > 0 ? efi : undefined,
            freeInBytes: options.number('free'),
            stderr: { write: (text) => err.writeNow(text) },
            signal,
            onProgress,
          }),
        ),
      )
      .catch((thrown: unknown) => {
        throw openingFailure(thrown, image, invocation, [...sources, ...efi, image]);
      });
    if (options.flag('json')) await invocation.printJson({ image, format, type, ...made });
    else await out.lines([`${image}: ${format}, ${type}, ${sizeFormat(made.sizeInBytes)}`]);
  },
};
