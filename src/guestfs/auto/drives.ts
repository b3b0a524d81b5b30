/** The drives of a session that goes from one backend to the other. */
import type { BackendConfig, Carried, DriveConfig } from '../../api/index.js';
import { imageContainer, imageFormat } from '../../engine/index.js';

async function withFormat(drive: DriveConfig): Promise<DriveConfig> {
  const { path, format, protocol = 'file' } = drive;
  if (path === undefined || format !== undefined || protocol !== 'file') return drive;
  try {
    // What the format is of an image in a container is found when that is opened, which nobody can have changed.
    if ((await imageContainer(path)) !== undefined) return drive;
    return { ...drive, format: await imageFormat(path) };
  } catch {
    return drive; // the launch, which reads the file too, has the error
  }
}

/** A configuration whose drives have the formats that their images have now. */
export async function withFormats(config: BackendConfig): Promise<BackendConfig> {
  return { ...config, drives: await Promise.all(config.drives.map(withFormat)) };
}

/** A configuration with what a session has written to drives whose writes are discarded. */
export function withLayers(config: BackendConfig, { drives }: Carried): BackendConfig {
  return {
    ...config,
    drives: config.drives.map((drive, index) => {
      const layer = drives[index]?.layer;
      return layer === undefined ? drive : { ...drive, layer };
    }),
  };
}
