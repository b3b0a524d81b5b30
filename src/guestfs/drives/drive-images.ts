/**
 * What the host's images are and what they stand on, for a backend that does not look for itself: so that the same formats
 * are detected, and the same names followed or refused, whichever backend opens them.
 */
import { dirname, isAbsolute, join } from 'node:path';
import type { BackendConfig, DriveConfig, DriveImage, StartBackend } from '../../api/index.js';
import { UnsupportedError } from '../../base/index.js';
import { type ChainLink, imageChain, imageFormat } from '../../engine/index.js';

/** An image out of its chain, the topmost first. */
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
    // A format that is only recognised here, or a chain with such: the backend has its own way with names.
    if (thrown instanceof UnsupportedError) return { ...drive, format: actual };
    throw thrown;
  }
}

/** A backend's start with its drives described first. */
export function withDriveImages(start: StartBackend): StartBackend {
  return async (config, events, signal) => {
    const drives = await Promise.all(config.drives.map((drive) => describeDrive(drive, config.policy)));
    return await start({ ...config, drives }, events, signal);
  };
}
