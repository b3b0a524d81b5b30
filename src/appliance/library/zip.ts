/**
 * The handle's `zipStream`, which the daemon lacks: its tar archive, written anew as a zip file on the way. A tar archive
 * has the contents of a file with several names once, so that the other names follow at the end, each downloaded.
 */
import { promisify } from 'node:util';
import { constants, deflateRaw, type ZlibOptions } from 'node:zlib';
import type { FileSink, Structs } from '../../api/index.js';
import { encodeText, typeOfMode } from '../../base/index.js';
import {
  type TarMember,
  TarReader,
  type TarReceiver,
  type ZipSteps,
  ZipWriter,
  zipNameProblem,
} from '../../formats/index.js';
import type { DownloadSink } from '../wire/sinks.js';
import { followTar } from './archives.js';
import type { LibraryCall } from './call.js';
import { handInto } from './hand-into.js';
import { intoSink } from './into-sink.js';

const deflate: (bytes: Uint8Array, options: ZlibOptions) => Promise<Buffer> = promisify(deflateRaw);

/** The bits of a mode for the type of a file: stat(2). */
const typeBits = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;

/** Doing the steps of a zip file: in other threads what is deflated, one after another. */
class ZipOutput {
  readonly #sink: DownloadSink;
  readonly #level: number;

  constructor(sink: DownloadSink, level: number) {
    this.#sink = sink;
    this.#level = level;
  }

  async run(steps: ZipSteps): Promise<void> {
    let answer: Uint8Array | undefined;
    for (let step = steps.next(); step.done !== true; step = steps.next(answer)) {
      answer = undefined;
      const { value } = step;
      // A copy, as the stream may hold a piece when its memory is written to again.
      if ('write' in value) await this.#sink.write([Buffer.from(value.write)]);
      else
        answer = await deflate(value.deflate, {
          level: this.#level,
          ...(value.last ? {} : { finishFlush: constants.Z_SYNC_FLUSH }),
          ...(value.dictionary.length > 0 ? { dictionary: value.dictionary } : {}),
        });
    }
  }
}

class TarToZip implements TarReceiver {
  readonly #call: LibraryCall;
  readonly #zip: ZipWriter;
  readonly #output: ZipOutput;
  #isOpen = false;
  /** Further names of files. */
  readonly links: TarMember[] = [];

  constructor(call: LibraryCall, zip: ZipWriter, output: ZipOutput) {
    this.#call = call;
    this.#zip = zip;
    this.#output = output;
  }

  async begin(member: TarMember): Promise<void> {
    this.#call.checkpoint();
    const name = member.name.replace(/^\.\/+/, '');
    if (name === '' || name === '.') return;
    const { type } = member;
    const problem = zipNameProblem(name);
    if (problem !== undefined) return this.#call.warn(`${name}: left out, as its name ${problem}`);
    if (type === 'hardlink') {
      this.links.push({ ...member, name });
      return;
    }
    if (type !== 'file' && type !== 'directory' && type !== 'symlink')
      return this.#call.warn(`${name}: a ${type} has no place in a zip file and is left out`);
    this.#zip.begin({ ...member, name, mode: member.mode | typeBits[type] });
    this.#isOpen = true;
    if (type === 'symlink') await this.#output.run(this.#zip.data(encodeText(member.linkName)));
  }

  async data(bytes: Uint8Array): Promise<void> {
    if (this.#isOpen) await this.#output.run(this.#zip.data(bytes));
  }

  async end(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#output.run(this.#zip.end());
  }
}

/** The attributes of a file as an entry has them. */
const attributesOf = (stats: Structs['statns']) => ({
  mode: stats.stMode,
  uid: stats.stUid,
  gid: stats.stGid,
  modifiedSeconds: stats.stMtimeSec,
});

export async function zipOut(
  call: LibraryCall,
  directory: string,
  to: FileSink,
  excludes: readonly string[],
  level: number,
): Promise<void> {
  await intoSink(to, async (sink) => {
    const zip = new ZipWriter();
    const output = new ZipOutput(sink, level);
    const converter = new TarToZip(call, zip, output);
    const reader = new TarReader(converter);
    const received = await followTar(call, directory, { excludes, readsAgain: true });
    await handInto(
      (piece) => reader.take(piece),
      (archive) =>
        call.daemon(
          'tar_out',
          [directory, archive],
          { numericowner: true, ...(excludes.length > 0 ? { excludes: [...excludes] } : {}) },
          received,
        ),
    );
    reader.finish();
    for (const { name } of converter.links) {
      const path = `${directory.replace(/\/+$/, '')}/${name}`;
      const stats = await call.daemon('lstatns', [path]);
      const isFile = typeOfMode(stats.stMode) === 'file';
      zip.begin({ ...attributesOf(stats), name, sizeInBytes: isFile ? stats.stSize : 0 });
      if (isFile)
        await handInto(
          (piece) => output.run(zip.data(piece)),
          (contents) => call.daemon('download', [path, contents], {}, received),
        );
      else if (typeOfMode(stats.stMode) === 'symlink')
        await output.run(zip.data(encodeText(await call.daemon('readlink', [path]))));
      await output.run(zip.end());
    }
    await output.run(zip.finish());
  });
}
