/** `inspect_get_icon`: a PNG file in the guest that shows what system it is. */
import { GuestfsError } from '../base/index.js';
import { readWhole, type Tree } from '../vfs/index.js';
import type { Distro, OsType } from './facts.js';
import { findQuietly } from './text.js';

interface Icon {
  readonly path: string;
  /** The largest file that is taken, in bytes. Where there is none, the picture's own size sets it. */
  readonly limit?: number;
}

const redHatIcons = (majorVersion: number): Icon[] => [
  {
    path:
      majorVersion < 7
        ? '/usr/share/pixmaps/redhat/shadowman-transparent.png'
        : '/usr/share/icons/hicolor/96x96/apps/system-logo-icon.png',
    limit: 102_400,
  },
];
const suseIcons: Icon[] = [48, 24].map((size) => ({
  path: `/usr/share/icons/hicolor/${size}x${size}/apps/distributor.png`,
  limit: 10_240,
}));

const icons: Partial<Record<Distro, (majorVersion: number) => readonly Icon[]>> = {
  altlinux: () => [{ path: '/usr/share/icons/hicolor/48x48/apps/altlinux.png', limit: 20_480 }],
  centos: redHatIcons,
  circle: redHatIcons,
  debian: () => [{ path: '/usr/share/pixmaps/debian-logo.png', limit: 2048 }],
  fedora: () => [{ path: '/usr/share/icons/hicolor/96x96/apps/fedora-logo-icon.png' }],
  gentoo: () => [{ path: '/usr/share/icons/gentoo/48x48/gentoo.png', limit: 10_240 }],
  mageia: () => [{ path: '/usr/share/icons/mageia.png', limit: 10_240 }],
  openmandriva: () => [
    { path: '/usr/share/icons/large/mandriva.png', limit: 10_240 },
    { path: '/usr/share/icons/mandriva.png', limit: 10_240 },
  ],
  opensuse: () => suseIcons,
  oraclelinux: redHatIcons,
  'redhat-based': redHatIcons,
  rhel: redHatIcons,
  rocky: redHatIcons,
  scientificlinux: redHatIcons,
  sles: () => suseIcons,
  'suse-based': () => suseIcons,
  ubuntu: () => [
    { path: '/usr/share/icons/gnome/24x24/places/ubuntu-logo.png', limit: 2048 },
    { path: '/usr/share/help/C/ubuntu-help/figures/ubuntu-logo.png', limit: 2048 },
  ],
  voidlinux: () => [{ path: '/usr/share/void-artwork/void-logo.png', limit: 20_480 }],
};

export interface IconOptions {
  /** Whether /etc/favicon.png is taken before all others; yes unless told otherwise. */
  readonly favicon?: boolean;
  /** Whether only icons of high quality are taken, which a favicon never is. */
  readonly highQuality?: boolean;
}

/** The icon's bytes; empty where there is none. The guest's filesystems must be mounted in `tree`. */
export function findIcon(
  tree: Tree,
  guest: {
    readonly type: OsType | 'unknown';
    readonly distro: Distro | 'unknown';
    readonly majorVersion: number;
  },
  options: IconOptions = {},
): Uint8Array {
  const { type, distro } = guest;
  const highQuality = options.highQuality ?? false;
  const candidates: Icon[] = [];
  if (!highQuality && options.favicon !== false) candidates.push({ path: '/etc/favicon.png' });
  // Ubuntu's are small and without transparency.
  const any = !(distro === 'ubuntu' && highQuality);
  if ((type === 'linux' || type === 'hurd') && distro !== 'unknown' && any) {
    candidates.push(...(icons[distro]?.(guest.majorVersion) ?? []));
  }
  for (const candidate of candidates) {
    const bytes = readPng(tree, candidate);
    if (bytes !== undefined) return bytes;
  }
  return new Uint8Array();
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Four bytes a pixel of the largest picture that is taken. */
const largestPng = 4 * 1024 * 1024;

/** A picture of 16 to 1024 pixels a side and of reasonable size; undefined for everything else. PNG, section 11.2.2. */
function readPng(tree: Tree, { path, limit }: Icon): Uint8Array | undefined {
  const place = findQuietly(tree, path, true);
  if (place?.type !== 'file') return undefined;
  let bytes: Uint8Array;
  try {
    bytes = readWhole(place, largestPng, path);
  } catch (thrown) {
    if (thrown instanceof GuestfsError && thrown.code === 'EFBIG') return undefined;
    throw thrown;
  }
  if (bytes.length < 24 || signature.some((byte, i) => bytes[i] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const reasonable = Math.min(width, height) >= 16 && Math.max(width, height) <= 1024;
  return reasonable && bytes.length <= (limit ?? 4 * width * height) ? bytes : undefined;
}
