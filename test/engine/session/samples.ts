/** util-linux's own sample images for blkid, and what blkid tells of each: `scripts/images/blkid.sh` fetches them. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeText } from '../../../src/base/index.js';
import { FileDisk } from '../../../src/disk/host/index.js';
import type { Disk } from '../../../src/disk/index.js';
import { imageDirectory } from '../../golden/truth.js';

const directory = join(imageDirectory, 'blkid');

/** Options for a test that needs the samples. */
export const needsSamples: { skip?: string } = existsSync(directory)
  ? {}
  : { skip: `no images in ${directory}: run scripts/images/blkid.sh` };

/** The names of all samples. */
export const sampleNames: readonly string[] = existsSync(directory)
  ? readdirSync(directory)
      .filter((name) => name.endsWith('.img'))
      .map((name) => name.slice(0, -'.img'.length))
      .sort()
  : [];

/** A sample as a disk of its own, which the caller closes. */
export const openSample = (name: string): Disk => new FileDisk(join(directory, `${name}.img`));

/** The size of a sample in bytes. */
export const sizeOf = (name: string): number => statSync(join(directory, `${name}.img`)).size;

/** A sample's bytes: a fresh copy each time. */
export const readSample = (name: string): Buffer => readFileSync(join(directory, `${name}.img`));

/** What is expected of a sample, by blkid's names; of a disc of several sessions, of the one at that sector. */
export function expectedOf(name: string, sector?: number): Record<string, string> | undefined {
  const words = name.split('-');
  const kept = sector === undefined ? words : [...words.filter((word) => !/^[0-9]+$/.test(word)), sector];
  const path = join(directory, 'expected', kept.join('-'));
  return existsSync(path) ? parseUdev(readFileSync(path, 'latin1')) : undefined;
}

/** The sectors of the sessions of a disc, which its name tells. */
export function sessionsOf(name: string): readonly number[] {
  return name.includes('-multi-')
    ? name
        .split('-')
        .filter((word) => /^[0-9]+$/.test(word))
        .map(Number)
    : [];
}

/**
 * The words of `blkid -o udev`, read as latin1. What is told twice is taken from the form whose bytes can be had
 * again.
 */
function parseUdev(text: string): Record<string, string> {
  const raw = new Map<string, string>();
  for (const line of text.trim().split('\n')) {
    const [, name = '', value = ''] = /^ID_FS_(\w+)=(.*)$/s.exec(line) ?? [];
    raw.set(name, value);
  }
  const told: Record<string, string> = {};
  for (const [name, value] of raw) {
    if (name.endsWith('_ENC')) continue;
    const encoded = raw.get(`${name}_ENC`) ?? value;
    const bytes = encoded.replace(/\\x([0-9a-f]{2})/g, (_, hex) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    told[name] = decodeText(Buffer.from(bytes, 'latin1'));
  }
  return told;
}
