/**
 * Where the worker's file is. Normally it lies beside this code, in the package. A bundler puts this code into a file of
 * the program, so other places are tried then, with the worker that is one file and needs no other.
 */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { GuestfsError, isBundled } from '../../base/index.js';

/** The worker in one file: for `guestfs/worker`, and to lie beside a program's bundle. */
const standaloneName = 'guestfs-engine.cjs';

/** Bundlers that make CommonJS leave it undefined. */
const moduleUrl = import.meta.url as string | undefined;

/** Throws GuestfsError (ENOENT) where no worker is found. `given`: the URL of the worker, as the program gave it. */
export function findWorker(given?: string): URL {
  if (given !== undefined) {
    const url = new URL(given);
    if (!existsSync(url)) throw new GuestfsError('ENOENT', `workerUrl: there is no file ${given}`);
    return url;
  }
  if (!isBundled) return new URL('./worker.js', moduleUrl);
  const here = thisFile();
  const ours = beside(here);
  const asset = assetUrl();
  // A bundler's copy is of the version that was bundled; the package may be another by now.
  if (asset !== undefined && asset.href !== ours?.href && existsSync(asset)) return asset;
  // The name of the second file is no other program's, as `worker.cjs` may be.
  if (here !== undefined && existsSync(new URL('./worker-code.cjs', here)))
    return new URL('./worker.cjs', here);
  const found = [ours, packageUrl(here)].find((place) => place !== undefined && existsSync(place));
  if (found !== undefined) return found;
  throw new GuestfsError(
    'ENOENT',
    `the engine's worker is not beside this program: copy node_modules/guestfs/dist/${standaloneName} into the directory ` +
      'of the bundle, or give its place with the option workerUrl',
  );
}

const isFile = (url: string | undefined): url is string => url?.startsWith('file:') === true;

/** The file that this code is in. */
function thisFile(): string | undefined {
  if (isFile(moduleUrl)) return moduleUrl;
  return typeof __filename === 'undefined' ? undefined : pathToFileURL(__filename).href;
}

/** In these words some bundlers see that the file is needed: they copy it, and put its new place here. */
function assetUrl(): URL | undefined {
  if (import.meta.url === undefined) return undefined;
  const url = new URL('./guestfs-engine.cjs', import.meta.url);
  return isFile(url.href) ? url : undefined;
}

const beside = (here: string | undefined): URL | undefined =>
  here === undefined ? undefined : new URL(`./${standaloneName}`, here);

/** The package, where it is installed beside the bundle. */
function packageUrl(here: string | undefined): URL | undefined {
  if (here === undefined) return undefined;
  try {
    const { createRequire } = process.getBuiltinModule('node:module');
    return pathToFileURL(createRequire(here).resolve('guestfs/worker'));
  } catch {
    return undefined; // it is not installed there
  }
}
