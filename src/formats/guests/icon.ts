/** Where guests keep a picture with the logo of their system, and the checks for it. */
import { viewOf } from '../../base/index.js';
import { readBitmap, upperPart } from '../pictures/bitmap.js';
import { encodePng, pngSignature } from '../pictures/png.js';
import { bitmapResource } from '../pictures/resource.js';

/** A picture that may show which system a guest has. */
export interface Icon {
  readonly path: string;
  /** The largest accepted file, in bytes. Without it, the limit follows from the picture's size. */
  readonly limit?: number;
  /** Whether the path may be spelled in another case. */
  readonly anyCase?: true;
  /** Takes the picture out of a file that holds more. */
  readonly take?: (file: Uint8Array) => Uint8Array | undefined;
}

/** A bitmap in a program of Windows, or the uppermost rows of it. */
function inProgram(path: string, number: number, rows?: number): Icon {
  return {
    path,
    anyCase: true,
    take(file) {
      const bitmap = bitmapResource(file, number);
      const picture = bitmap && readBitmap(bitmap);
      const part = picture && rows !== undefined ? upperPart(picture, rows) : picture;
      return part && encodePng(part);
    },
  };
}

/** By version, in the directory of Windows or beside it. Other versions have none that is known. */
const windowsIcons: Readonly<Record<string, (systemroot: string) => readonly Icon[]>> = {
  '5.1': (systemroot) => [inProgram(`${systemroot}/explorer.exe`, 143)],
  // The 32-bit program has the pictures on a 64-bit system. Several are in one; the first has 55 rows.
  '6.1': (systemroot) =>
    ['SysWOW64/explorer.exe', 'explorer.exe'].map((name) => inProgram(`${systemroot}/${name}`, 6801, 55)),
  '6.2': () => [{ path: '/ProgramData/Microsoft/Windows Live/WLive48x48.png', anyCase: true, limit: 8192 }],
};

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

/** What decides where to look; `type` and `distro` as in inspection. */
export interface IconGuest {
  readonly type: string;
  readonly distro: string;
  readonly majorVersion: number;
  readonly minorVersion: number;
  /** Of Windows only. */
  readonly windowsSystemroot?: string;
}

/** The places to look, best first. */
export function iconCandidates(guest: IconGuest, options: IconOptions = {}): readonly Icon[] {
  const { type, distro, majorVersion, minorVersion } = guest;
  const highQuality = options.highQuality ?? false;
  const candidates: Icon[] = [];
  if (!highQuality && options.favicon !== false)
    candidates.push({ path: '/etc/favicon.png', ...(type === 'windows' ? { anyCase: true } : {}) });
  // Ubuntu's are small and without transparency.
  const any = !(distro === 'ubuntu' && highQuality);
  if ((type === 'linux' || type === 'hurd') && any && Object.hasOwn(icons, distro)) {
    candidates.push(...(icons[distro]?.(majorVersion) ?? []));
  }
  // Those of Windows are small too.
  if (type === 'windows' && !highQuality && guest.windowsSystemroot !== undefined) {
    candidates.push(...(windowsIcons[`${majorVersion}.${minorVersion}`]?.(guest.windowsSystemroot) ?? []));
  }
  return candidates;
}

/** Four bytes a pixel of the largest accepted picture; a program with pictures is shorter too. */
export const iconLimit = 4 * 1024 * 1024;

/** The picture in a file, if it passes the checks for an icon. */
export function iconIn(file: Uint8Array, icon: Icon): Uint8Array | undefined {
  const picture = icon.take === undefined ? file : icon.take(file);
  return picture !== undefined && isIcon(picture, icon) ? picture : undefined;
}

/** Whether a file is a picture of 16 to 1024 pixels a side and of reasonable size. PNG, section 11.2.2. */
function isIcon(bytes: Uint8Array, { limit }: Icon): boolean {
  if (bytes.length < 24 || pngSignature.some((byte, i) => bytes[i] !== byte)) return false;
  const view = viewOf(bytes);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const reasonable = Math.min(width, height) >= 16 && Math.max(width, height) <= 1024;
  return reasonable && bytes.length <= (limit ?? 4 * width * height);
}
