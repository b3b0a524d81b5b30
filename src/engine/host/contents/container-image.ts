/**
 * Images of containers: an OCI image layout (image specification 1.1, image-layout.md), in a directory or an archive, and
 * what `docker save` writes. Blobs are compared with their digests before they are used.
 */
import { CorruptError, decodeText, encodeHex, GuestfsError, UnsupportedError } from '../../../base/index.js';
import { type Disk, platform } from '../../../disk/index.js';
import type { ContentSource, ContentTree } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import { move } from '../copy-data.js';
import { addLayer } from './layers.js';

/** The files of an image by their names. */
export interface ImageFiles {
  /** Of the image, for errors. */
  readonly name: string;
  find(name: string): ContentSource | undefined;
}

/** Takes a file out of what compresses it. */
type Unpack = (file: Disk, name: string) => Disk;

const longestDocument = 4 * 1024 * 1024;
const mostLayers = 10_000;
/** An index may name others. */
const deepestIndex = 4;
const hashes = { sha256: 'sha256', sha512: 'sha512' } as const;

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const objects = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : []);
const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

function corrupt({ name }: ImageFiles, problem: string): CorruptError {
  return new CorruptError(`container image ${name}`, problem);
}

function find(image: ImageFiles, name: string): ContentSource {
  const found = image.find(name);
  if (found === undefined) throw corrupt(image, `has no file ${name}`);
  return found;
}

function readJson(image: ImageFiles, name: string, source = find(image, name)): unknown {
  if (source.sizeInBytes > longestDocument) throw corrupt(image, `has a file ${name} that is too long`);
  const bytes = new Uint8Array(source.sizeInBytes);
  const disk = source.open();
  try {
    disk.read(bytes, 0);
  } finally {
    disk.close();
  }
  try {
    return JSON.parse(decodeText(bytes));
  } catch {
    throw corrupt(image, `has a file ${name} that is no JSON`);
  }
}

/** What a descriptor leads to. CorruptError where the bytes are others than it says. */
function blobOf(call: Call, image: ImageFiles, { digest }: Json): { name: string; source: ContentSource } {
  const [, algorithm = '', hex = ''] =
    /^(sha256|sha512):([0-9a-f]{64,128})$/.exec(typeof digest === 'string' ? digest : '') ?? [];
  if (algorithm === '') throw corrupt(image, `has a descriptor with the digest ${JSON.stringify(digest)}`);
  const name = `blobs/${algorithm}/${hex}`;
  const source = find(image, name);
  const hash = platform().hash(hashes[algorithm as keyof typeof hashes]); // safe: the pattern has these two
  const disk = source.open();
  try {
    move(call, disk, {
      keepsHoles: false,
      write: (bytes) => hash.update(bytes),
      hole() {},
    });
  } finally {
    disk.close();
  }
  if (encodeHex(hash.digest()) !== hex) throw corrupt(image, `has a file ${name} with another digest`);
  return { name, source };
}

const platformOf = ({ platform: found }: Json): string =>
  isObject(found)
    ? [found.os, found.architecture, found.variant].filter((each) => each !== undefined).join('/')
    : 'unknown';

/** The one image that an index leads to. EINVAL where there are several. */
function manifestOf(call: Call, image: ImageFiles, index: unknown, depth: number): Json {
  if (depth > deepestIndex) throw corrupt(image, 'has an index in too many others');
  // Attestations are kept beside the images, for no platform.
  const found = objects(isObject(index) ? index.manifests : undefined).filter(
    (each) => platformOf(each) !== 'unknown/unknown',
  );
  const [only, ...others] = found;
  if (only === undefined) throw corrupt(image, 'has an index without an image');
  if (others.length > 0)
    throw new GuestfsError(
      'EINVAL',
      `${image.name}: holds ${found.length} images (${found.map(platformOf).join(', ')}): save one of them alone`,
    );
  const { name, source } = blobOf(call, image, only);
  const document = readJson(image, name, source);
  if (!isObject(document)) throw corrupt(image, `has a file ${name} that is no manifest`);
  return document.layers === undefined ? manifestOf(call, image, document, depth + 1) : document;
}

interface Layer {
  readonly name: string;
  readonly source: ContentSource;
}

function* ociLayers(call: Call, image: ImageFiles): Generator<Layer, void> {
  const manifest = manifestOf(call, image, readJson(image, 'index.json'), 0);
  for (const layer of objects(manifest.layers)) {
    if (typeof layer.mediaType === 'string' && layer.mediaType.endsWith('+encrypted'))
      throw new UnsupportedError(`container image ${image.name}`, ['encrypted layers']);
    yield blobOf(call, image, layer);
  }
}

/** The layers that `docker save` names; undefined where the document is no such list. EINVAL for several images. */
function dockerLayers(image: ImageFiles): readonly string[] | undefined {
  const source = image.find('manifest.json');
  if (source === undefined || source.sizeInBytes > longestDocument) return undefined;
  const list = objects(readJson(image, 'manifest.json', source));
  const [only, ...others] = list;
  if (only === undefined || typeof only.Config !== 'string' || image.find(only.Config) === undefined)
    return undefined;
  if (others.length > 0)
    throw new GuestfsError('EINVAL', `${image.name}: holds ${list.length} images: save one of them alone`);
  return strings(only.Layers);
}

/** Adds the layers of an image in their order; false where the files are no image. The layers are added to `open`. */
export function addContainerImage(
  call: Call,
  tree: ContentTree,
  image: ImageFiles,
  unpack: Unpack,
  open: Disk[],
): boolean {
  const isOci = image.find('oci-layout') !== undefined && image.find('index.json') !== undefined;
  const names = isOci ? [] : dockerLayers(image);
  if (names === undefined) return false;
  const layers = isOci ? ociLayers(call, image) : names.map((name) => ({ name, source: find(image, name) }));
  let count = 0;
  for (const { name, source } of layers) {
    count++;
    if (count > mostLayers) throw corrupt(image, 'has too many layers');
    const layer = unpack(source.open(), `${image.name}: ${name}`);
    open.push(layer);
    addLayer(call, tree, layer);
  }
  return true;
}
