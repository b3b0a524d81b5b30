/** A real Debian's root filesystem, with its kernel and a boot loader, made an image that a machine boots. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, createReadStream, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFilesystem } from '../../../src/guestfs/index.js';
import { needsAppliance } from '../../support/appliance.js';
import { scratchDirectory } from '../../support/scratch.js';
import { checkQcow2, needs, toolEnvironment } from '../../support/tools.js';

/** Of scripts/images/real.sh. */
const rootfs = '.cache/images/rootfs.tar';
const loader = '.cache/images/work/grub/usr/lib/grub/x86_64-efi';
const firmware = '/usr/share/ovmf/OVMF.fd';
const longestBoot = 150_000;

/** The newest file of the machine's own `/boot` whose name begins so. */
const bootFile = (start: string): string | undefined =>
  readdirSync('/boot')
    .filter((name) => name.startsWith(start))
    .sort()
    .map((name) => join('/boot', name))
    .at(-1);

function needsMachine(): { skip?: string } {
  const missing = [rootfs, loader, firmware].filter((path) => !existsSync(path));
  for (const start of ['vmlinuz-', 'initrd.img-'])
    if (bootFile(start) === undefined) missing.push(`/boot/${start}*`);
  if (needsAppliance().skip !== undefined) return needsAppliance();
  return missing.length > 0
    ? { skip: `not there: ${missing.join(', ')}` }
    : needs('qemu-system-x86_64', 'grub-mkimage', 'qemu-img');
}

const grubConfiguration = `
search --no-floppy --label root --set=root
linux /boot/vmlinuz root=LABEL=root console=ttyS0 mitigations=off
initrd /boot/initrd.img
boot
`;

const modules = ['part_gpt', 'fat', 'ext2', 'normal', 'linux', 'search', 'search_label'];

/** What is put over the archive: a kernel, and the tables of a machine with these labels; and what firmware finds. */
function makeSources(directory: string): { over: string; efi: string } {
  const [over, efi] = [join(directory, 'over'), join(directory, 'efi')];
  for (const path of [join(over, 'boot'), join(over, 'etc'), join(efi, 'EFI/BOOT')])
    mkdirSync(path, { recursive: true });
  copyFileSync(bootFile('vmlinuz-') ?? '', join(over, 'boot/vmlinuz'));
  copyFileSync(bootFile('initrd.img-') ?? '', join(over, 'boot/initrd.img'));
  writeFileSync(join(over, 'etc/fstab'), 'LABEL=root / ext4 errors=remount-ro 0 1\n');
  writeFileSync(join(efi, 'EFI/BOOT/grub.cfg'), grubConfiguration);
  const words = [
    '-O',
    'x86_64-efi',
    '-d',
    loader,
    '-p',
    '/EFI/BOOT',
    '-o',
    join(efi, 'EFI/BOOT/BOOTX64.EFI'),
    ...modules,
  ];
  const { status, stderr } = spawnSync('grub-mkimage', words, { encoding: 'utf8', env: toolEnvironment });
  assert.equal(status, 0, stderr);
  return { over, efi };
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest('hex');
}

/** What a machine says on its serial line until it asks who logs in; rejects with that when it does not. */
async function boot(image: string): Promise<string> {
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...[
        '-accel',
        'tcg,thread=multi',
        '-m',
        '768',
        '-smp',
        '2',
        '-nodefaults',
        '-no-reboot',
        '-display',
        'none',
      ],
      ...[
        '-serial',
        'stdio',
        '-bios',
        firmware,
        '-snapshot',
        '-drive',
        `file=${image},format=qcow2,if=virtio`,
      ],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let said = '';
  const timer = setTimeout(() => qemu.kill('SIGKILL'), longestBoot);
  try {
    for await (const piece of qemu.stdout) {
      said += String(piece);
      if (/\blogin: /.test(said)) return said;
    }
    assert.fail(`the machine did not come up:\n${said.slice(-4000)}`);
  } finally {
    clearTimeout(timer);
    qemu.kill('SIGKILL');
  }
}

test(
  'firmware, boot loader, kernel and Debian come up from an image of a tar archive',
  needsMachine(),
  async () => {
    const directory = scratchDirectory();
    const { over, efi } = makeSources(directory);
    const make = (name: string): Promise<unknown> =>
      makeFilesystem([rootfs, over], join(directory, name), {
        ...{
          environment: false,
          stderr: null,
          format: 'qcow2',
          partition: 'gpt',
          efi,
          label: 'root',
          freeInBytes: 100 << 20,
        },
      });
    const [first, second] = [join(directory, 'one.qcow2'), join(directory, 'two.qcow2')];
    assert.deepEqual(await make('one.qcow2'), await make('two.qcow2'));
    assert.equal(await sha256(first), await sha256(second));
    checkQcow2(first);
    const said = await boot(first);
    assert.match(said, /Welcome to GRUB!/);
    assert.match(said, /Debian GNU\/Linux 12 dolphin ttyS0/);
  },
);
