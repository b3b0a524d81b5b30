/**
 * Describes the host's images and their backing images, for a backend that does not examine them itself. So every
 * backend detects the same formats, and follows or refuses the same names.
 */
import { dirname, isAbsolute, join } from 'node:path';
import type { BackendConfig, DriveConfig, DriveImage, StartBackend } from '../../api/index.js';
import { UnsupportedError } from '../../base/index.js';
import { type ChainLink, imageChain, imageFormat } from '../../engine/index.js';

/** An image of a chain, topmost first. */
function stacked([top, ...below]: readonly ChainLink[]): DriveImage | undefined {
  if (top === undefined) return undefined;
  const { path, format, dataFile, slice } = top;
  const backing = stacked(below);
  return {
    path,
    format,
    ...(backing === undefined ? {} : { backing }),
    ...(slice === undefined ? {} : { slice }),
    ...(dataFile === undefined
      ? {}
      : { dataFile: isAbsolute(dataFile) ? dataFile : join(dirname(path), dataFile) }),
  };
}

/** An image that lies in an archive, in one piece and as it is, can be read there. All else has to be unpacked. */
function checkContained({ readonly }: DriveConfig, top: ChainLink | undefined): void {
  if (top?.containers === undefined) return;
  const what = `${top.path}: the ${top.containers.join(', ')} file`;
  if (top.slice === undefined)
    throw new UnsupportedError(what, ['reading the image in it here; unpack it, and add the image itself']);
  if (!readonly)
    throw new UnsupportedError(what, ['changing the image in it; add it read-only, or unpack it']);
}

async function describeDrive(drive: DriveConfig, policy: BackendConfig['policy']): Promise<DriveConfig> {
  const { path, format, member, protocol = 'file' } = drive;
  if (path === undefined || protocol !== 'file' || drive.scratchSizeInBytes !== undefined) return drive;
  if (format === 'raw' && member === undefined) return { ...drive, image: { path, format } };
  try {
    const chosen = {
      ...(format === undefined ? {} : { format }),
      ...(member === undefined ? {} : { member }),
    };
    const chain = await imageChain(path, { ...chosen, policy });
    checkContained(drive, chain[0]);
    const image = stacked(chain);
    return image === undefined ? drive : { ...drive, image };
  } catch (thrown) {
    if (!(thrown instanceof UnsupportedError)) throw thrown;
    const actual = format ?? (await imageFormat(path));
    // A raw image is always known: what is not supported is what the file is packed in, as with a member of an archive.
    if (actual === 'raw' || member !== undefined) throw thrown;
    // The format, or one in the chain, is only recognised here: the backend itself handles its file names.
    return { ...drive, format: actual };
  }
}

/** Starts a backend after its drives were described. */
export function withDriveImages(start: StartBackend): StartBackend {
  return async (config, events, signal) => {
    const drives = await Promise.all(config.drives.map((drive) => describeDrive(drive, config.policy)));
    return await start({ ...config, drives }, events, signal);
  };
}
