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
  const { path, format, dataFile } = top;
  const backing = stacked(below);
  return {
    path,
    format,
    ...(backing === undefined ? {} : { backing }),
    ...(dataFile === undefined
      ? {}
      : { dataFile: isAbsolute(dataFile) ? dataFile : join(dirname(path), dataFile) }),
  };
}

async function describeDrive(drive: DriveConfig, policy: BackendConfig['policy']): Promise<DriveConfig> {
  const { path, format, protocol = 'file' } = drive;
  if (path === undefined || protocol !== 'file' || drive.scratchSizeInBytes !== undefined) return drive;
  if (format === 'raw') return { ...drive, image: { path, format } };
  const actual = format ?? (await imageFormat(path));
  try {
    const image = stacked(await imageChain(path, { format: actual, policy }));
    return image === undefined ? drive : { ...drive, image };
  } catch (thrown) {
    // The format, or one in the chain, is only recognised here: the backend itself handles its file names.
    if (thrown instanceof UnsupportedError) return { ...drive, format: actual };
    throw thrown;
  }
}

/** Starts a backend after its drives were described. */
export function withDriveImages(start: StartBackend): StartBackend {
  return async (config, events, signal) => {
    const drives = await Promise.all(config.drives.map((drive) => describeDrive(drive, config.policy)));
    return await start({ ...config, drives }, events, signal);
  };
}
