/** New disk images on the host: `disk_create`. In the handle's thread, so nothing here blocks. */
import type { FileHandle } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { AbortError, GuestfsError, hostError } from '../../base/index.js';
import { newQcow2 } from '../../formats/index.js';
import { readImageInfo } from '../../image/index.js';
import { node } from '../../platform/index.js';

interface NewImageOptions {
  readonly backingfile?: string | undefined;
  readonly backingformat?: string | undefined;
  readonly preallocation?: string | undefined;
  readonly compat?: string | undefined;
  readonly clustersize?: number | undefined;
}

const invalid = (problem: string): GuestfsError => new GuestfsError('EINVAL', problem);

const usualClusterSize = 65536;
const leastClusterSize = 512;
const mostClusterSize = 2 * 1024 * 1024;
/** A name of a format of qemu's. */
const formatForm = /^[A-Za-z0-9]{1,16}$/;
const zeroes = Buffer.alloc(1024 * 1024);

/** How a file is filled. */
interface Filling {
  readonly file: FileHandle;
  readonly signal: AbortSignal | undefined;
}

async function writeAt({ file, signal }: Filling, bytes: Uint8Array, offset: number): Promise<void> {
  if (signal?.aborted === true) throw new AbortError(undefined, { cause: signal.reason });
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, offset + at);
    at += bytesWritten;
  }
}

/** Allocates space by writing, because host filesystems differ in what other ways guarantee. */
async function fillWithZeroes(filling: Filling, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += zeroes.length)
    await writeAt(filling, zeroes.subarray(0, Math.min(zeroes.length, to - at)), at);
}

/** Loaded on demand: every program that imports the package would wait for it. */
const host = () => process.getBuiltinModule('node:fs/promises');

/** Creates a file; an unfinished one is removed. */
async function withNewFile(
  path: string,
  signal: AbortSignal | undefined,
  work: (filling: Filling, isDevice: boolean) => Promise<void>,
): Promise<void> {
  try {
    const before = await host()
      .stat(path)
      .catch(() => undefined);
    // Opening a pipe would wait for its other end, in a thread that nothing can wake.
    if (before !== undefined && !before.isFile() && !before.isBlockDevice() && !before.isDirectory())
      throw invalid(`${path}: is no regular file or block device, and holds no image`);
    const isDevice = before?.isBlockDevice() === true;
    const file = await host().open(path, isDevice ? 'r+' : 'w', 0o666);
    try {
      await work({ file, signal }, isDevice);
      await file.close();
    } catch (thrown) {
      await file.close();
      if (!isDevice) await host().unlink(path);
      throw thrown;
    }
  } catch (thrown) {
    throw hostError(path, thrown);
  }
}

function createRaw(
  path: string,
  sizeInBytes: number,
  options: NewImageOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const option of ['backingfile', 'backingformat', 'compat', 'clustersize'] as const)
    if (options[option] !== undefined) throw invalid(`${option} means nothing for a raw image`);
  const { preallocation = 'sparse' } = options;
  if (!['off', 'sparse', 'full'].includes(preallocation))
    throw invalid(`preallocation '${preallocation}' is unknown for a raw image; there are off, sparse, full`);
  return withNewFile(path, signal, async (filling, isDevice) => {
    if (isDevice) return; // its size is what it is
    await filling.file.truncate(sizeInBytes);
    if (preallocation === 'full') await fillWithZeroes(filling, 0, sizeInBytes);
  });
}

/** A relative name is relative to the new image. */
function backingSize(path: string, file: string, format: string): number {
  const place = isAbsolute(file) ? file : join(dirname(path), file);
  return readImageInfo(node.origin(place), { format }).virtualSizeInBytes;
}

function createQcow2(
  path: string,
  sizeInBytes: number,
  options: NewImageOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const {
    backingfile,
    backingformat,
    preallocation = 'off',
    compat = '1.1',
    clustersize = usualClusterSize,
  } = options;
  if (backingformat !== undefined && !formatForm.test(backingformat))
    throw invalid(`backingformat '${backingformat}' is no name of a format`);
  if (!['off', 'sparse', 'metadata', 'full'].includes(preallocation))
    throw invalid(`preallocation '${preallocation}' is unknown; there are off, sparse, metadata, full`);
  if (compat !== '0.10' && compat !== '1.1')
    throw invalid(`compat '${compat}' is unknown; there are 0.10 and 1.1`);
  if (
    clustersize < leastClusterSize ||
    clustersize > mostClusterSize ||
    !Number.isInteger(Math.log2(clustersize))
  )
    throw invalid(
      `clustersize ${clustersize} must be a power of two from ${leastClusterSize} to ${mostClusterSize}`,
    );
  const allocated = preallocation === 'metadata' || preallocation === 'full';
  if (backingfile !== undefined && backingformat === undefined)
    throw invalid('backingformat must be given with backingfile: a guess could be made to open any file');
  if (backingfile !== undefined && allocated)
    throw invalid(
      `preallocation '${preallocation}' would hide the backing file: what is allocated is not looked up in it`,
    );
  const backing =
    backingfile === undefined || backingformat === undefined
      ? undefined
      : { file: backingfile, format: backingformat };
  const image = newQcow2({
    virtualSizeInBytes: backing === undefined ? sizeInBytes : backingSize(path, backing.file, backing.format),
    clusterSize: clustersize,
    version: compat === '0.10' ? 2 : 3,
    allocated,
    ...(backing === undefined ? {} : { backing }),
  });
  return withNewFile(path, signal, async (filling, isDevice) => {
    let written = 0;
    for (const { offset, bytes } of image.pieces) {
      if (isDevice) await fillWithZeroes(filling, written, offset);
      await writeAt(filling, bytes, offset);
      written = offset + bytes.length;
    }
    const { lengthInBytes } = image;
    if (!isDevice) await filling.file.truncate(lengthInBytes);
    if (preallocation === 'full') await fillWithZeroes(filling, written, lengthInBytes);
  });
}

/**
 * Makes an empty image of the format `raw` or `qcow2`, and replaces an existing file. The size is in bytes, or -1 for
 * the backing file's. Rejects with EINVAL, ENOTSUP for another format, and the host's errors; no unfinished file is
 * left.
 */
export async function createImage(
  path: string,
  format: string,
  sizeInBytes: number,
  options: NewImageOptions,
  signal?: AbortSignal,
): Promise<void> {
  if (path === '') throw invalid('the name of the file is empty');
  if (options.backingfile !== undefined && sizeInBytes !== -1)
    throw invalid(`the size must be -1 with a backing file, whose size it takes, not ${sizeInBytes}`);
  if (options.backingfile === undefined && sizeInBytes <= 0)
    throw invalid(`a disk cannot have ${sizeInBytes} bytes`);
  if (format === 'raw') return await createRaw(path, sizeInBytes, options, signal);
  if (format === 'qcow2') return await createQcow2(path, sizeInBytes, options, signal);
  throw new GuestfsError('ENOTSUP', `images of the format '${format}' are not made; raw and qcow2 are`);
}
