/** blkid's answers about an image, to compare ours with. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeText } from '../../../src/base/index.js';
import type { Probed } from '../../../src/disk/index.js';
import { toolEnvironment } from '../../support/tools.js';

/** What blkid's safe probing finds in these bytes, followed by zeroes up to `size`; undefined where that is nothing. */
export function askBlkid(image: Uint8Array, size = image.length): Record<string, string> | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'guestfs-blkid-'));
  try {
    const path = join(folder, 'image');
    writeFileSync(path, image);
    truncateSync(path, size);
    const lines = execFileSync('blkid', ['-p', '-o', 'export', path], {
      encoding: 'latin1',
      env: toolEnvironment,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return parseExport(lines);
  } catch (error) {
    // Nothing was found, or several things that exclude each other.
    if ([2, 8].includes((error as { status?: number }).status ?? 0)) return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The words of `blkid -o export` (read as latin1), without the device's name and the partition table. */
export function parseExport(lines: string): Record<string, string> | undefined {
  const told: Record<string, string> = {};
  for (const line of lines.trim().split('\n').filter(Boolean)) {
    const [, name = '', value = ''] = /^(\w+)=(.*)$/s.exec(line) ?? [];
    told[name] = decodeExport(value);
  }
  for (const name of ['DEVNAME', 'PTTYPE', 'PTUUID']) delete told[name];
  return told.TYPE === undefined ? undefined : told;
}

/**
 * A value with its escapes undone: a backslash before signs, `M-` before bytes above 0x7F, `^` before control
 * characters.
 */
export function decodeExport(value: string): string {
  const bytes: number[] = [];
  const plain = value.replace(/\\(.)/g, '$1');
  for (let at = 0; at < plain.length; at++) {
    let high = 0;
    if (plain.startsWith('M-', at)) {
      high = 0x80;
      at += 2;
    }
    if (plain[at] === '^' && plain[at + 1] !== undefined) {
      at++;
      bytes.push(high | (plain.charCodeAt(at) ^ 0x40));
    } else bytes.push(high | plain.charCodeAt(at));
  }
  return decodeText(Uint8Array.from(bytes));
}

/** Our answer in the same form. */
export function asBlkid(probed: Probed | undefined): Record<string, string> | undefined {
  if (probed === undefined) return undefined;
  const { type, label, uuid, facts } = probed;
  return {
    TYPE: type,
    ...(label === '' ? {} : { LABEL: label }),
    ...(uuid === '' ? {} : { UUID: uuid }),
    ...facts,
  };
}
