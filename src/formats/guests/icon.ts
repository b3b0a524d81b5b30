/** Where guests keep a PNG file with the logo of their system, and the checks for such a file. */
import { viewOf } from '../../base/index.js';

/** A picture that may show which system a guest has. */
export interface Icon {
  readonly path: string;
  /** The largest accepted file, in bytes. Without it, the limit follows from the picture's size. */
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

const icons: Readonly<Record<string, (majorVersion: number) => readonly Icon[]>> = {
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
  /** Whether /etc/favicon.png comes first; true by default. */
  readonly favicon?: boolean;
  /** Whether only icons of high quality count, which excludes a favicon. */
  readonly highQuality?: boolean;
}

/** The places to look, best first. `type` and `distro` as in inspection. */
export function iconCandidates(
  guest: { readonly type: string; readonly distro: string; readonly majorVersion: number },
  options: IconOptions = {},
): readonly Icon[] {
  const { type, distro } = guest;
  const highQuality = options.highQuality ?? false;
  const candidates: Icon[] = [];
  if (!highQuality && options.favicon !== false) candidates.push({ path: '/etc/favicon.png' });
  // Ubuntu's are small and without transparency.
  const any = !(distro === 'ubuntu' && highQuality);
  if ((type === 'linux' || type === 'hurd') && any && Object.hasOwn(icons, distro)) {
    candidates.push(...(icons[distro]?.(guest.majorVersion) ?? []));
  }
  return candidates;
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Four bytes a pixel of the largest accepted picture. */
export const iconLimit = 4 * 1024 * 1024;

/** Whether a file is a picture of 16 to 1024 pixels a side and of reasonable size. PNG, section 11.2.2. */
export function isIcon(bytes: Uint8Array, { limit }: Icon): boolean {
  if (bytes.length < 24 || signature.some((byte, i) => bytes[i] !== byte)) return false;
  const view = viewOf(bytes);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const reasonable = Math.min(width, height) >= 16 && Math.max(width, height) <= 1024;
  return reasonable && bytes.length <= (limit ?? 4 * width * height);
}
