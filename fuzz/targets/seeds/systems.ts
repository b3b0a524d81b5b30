/** The files of a system as one text, so that a damaged text is a damaged system. */

import { decodeText } from '../../../src/base/index.js';
import { elf, systems } from '../../../test/inspect/distributions.js';
import { directory, link, type MemoryFiles, type MemoryNode } from '../../../test/support/memory-fs.js';

/** What begins a file, ends its path, and stands before the target of a link. */
const marks = { file: 0x01, path: 0x02, link: 0x03, directory: 0x04 } as const;
const mostFiles = 300;
const longestPath = 1000;

export function packSystem(files: MemoryFiles): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const [path, content] of Object.entries(files)) {
    pieces.push(Uint8Array.of(marks.file), Buffer.from(path), Uint8Array.of(marks.path));
    if (typeof content === 'string') pieces.push(Buffer.from(content));
    else if (content instanceof Uint8Array) pieces.push(content.filter((byte) => byte === 0 || byte > 4));
    else if (content.type === 'symlink')
      pieces.push(Uint8Array.of(marks.link), Buffer.from(content.target ?? ''));
    else pieces.push(Uint8Array.of(marks.directory));
  }
  return Buffer.concat(pieces);
}

export function unpackSystem(bytes: Uint8Array): MemoryFiles {
  const files: Record<string, Uint8Array | MemoryNode> = Object.create(null) as Record<string, never>;
  let count = 0;
  for (let at = bytes.indexOf(marks.file); at >= 0 && count < mostFiles; count++) {
    const next = bytes.indexOf(marks.file, at + 1);
    const record = bytes.subarray(at + 1, next < 0 ? bytes.length : next);
    at = next;
    const border = record.indexOf(marks.path);
    if (border < 1 || border > longestPath) continue;
    const path = decodeText(record.subarray(0, border));
    const content = Uint8Array.from(record.subarray(border + 1));
    if (content[0] === marks.link) files[path] = link(decodeText(content.subarray(1)));
    else files[path] = content[0] === marks.directory ? directory() : content;
  }
  return files;
}

const dpkg = ['bash', 'libc6', 'apt']
  .map(
    (name) =>
      `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nSource: src-${name} (1.0)\nVersion: 1:2.3~rc1-4+b1\n` +
      `Description: about\n more\n .\nHomepage: https://example.org\n\n`,
  )
  .join('');
const base = { 'bin/sh': elf(62), 'etc/hostname': 'guest\n' };

/** With what the systems of the inspection's tests lack: packages, arrays, Windows. */
const more: ReadonlyMap<string, MemoryFiles> = new Map<string, MemoryFiles>([
  [
    'packages: dpkg',
    {
      ...base,
      'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
      'etc/debian_version': '12.1\n',
      'etc/fstab': '/dev/sda1 / ext4 defaults 0 1\n/dev/md/0 /x ext4 defaults 0 0\nUUID=x /y xfs a,b=c 0 0\n',
      'etc/mdadm.conf':
        'DEVICE partitions\nARRAY /dev/md/0 metadata=1.2 UUID=a1b2c3d4:e5f60718:293a4b5c:6d7e8f90\n',
      'var/lib/dpkg/status': dpkg,
    },
  ],
  [
    'packages: apk',
    {
      ...base,
      'etc/os-release': 'ID=alpine\nVERSION_ID=3.19.0\n',
      'etc/alpine-release': '3.19.0\n',
      'etc/fstab': '',
      'lib/apk/db/installed':
        'C:Q1\nP:musl\nV:1.2.4-r2\nA:x86_64\nT:libc\nU:https://x\n\nP:b\nV:1-r0\nA:x\n\n',
    },
  ],
  [
    'packages: pacman',
    {
      ...base,
      'etc/os-release': 'ID=arch\n',
      'etc/arch-release': '',
      'etc/fstab': '',
      'var/lib/pacman/local/bash-5.2-1/desc':
        '%NAME%\nbash\n\n%VERSION%\n5.2-1\n\n%ARCH%\nx86_64\n\n%DESC%\nshell\n\n',
    },
  ],
  [
    'windows',
    {
      'boot.ini':
        '[boot loader]\r\ntimeout=30\r\ndefault=multi(0)disk(0)rdisk(0)partition(1)\\WINNT\r\n[operating systems]\r\n' +
        'multi(0)disk(0)rdisk(0)partition(1)\\WINNT="Windows" /fastdetect\r\n',
      'WINNT/system32/cmd.exe': 'MZ',
      'WINNT/system32/config/SOFTWARE': 'regf',
      'WINNT/system32/config/SYSTEM': 'regf',
      'WINNT/system32/drivers/x': '',
    },
  ],
]);

export const systemSeeds: ReadonlyMap<string, MemoryFiles> = new Map([
  ...more,
  ...systems.map(({ name, files }) => [name, files] as const),
]);
