/**
 * The command line of the appliance's qemu. It names no user drive: those are added by QMP before the machine is let run
 * (drives.ts), so that one way serves a cold start and one from a kept state. Pure. Source: qemu's manual page, the kernel's
 * kernel-parameters.txt, and supermin's and guestfsd's own words on the kernel command line.
 *
 * The machine is given its sockets as open file descriptors. So there is none in the file system that another could reach.
 */
import { GuestfsError } from '../../base/index.js';
import { driveBus } from '../drives/blocks.js';
import type { Json } from './qmp.js';

export type Accelerator = 'kvm' | 'tcg';

/** File descriptors that qemu is started with, beyond the three of every process. */
export const qemuDescriptors = { monitor: 3, channel: 4, console: 5, memory: 6 } as const;

/** The name by which guestfsd finds its port. */
const channelName = 'org.libguestfs.channel.0';

/** The machines that are known, by the processor's name in qemu's program. */
export interface Architecture {
  /** As `query-target` and supermin's `--host-cpu` name it. */
  readonly name: string;
  readonly machine: string;
  readonly machineOptions: readonly string[];
  readonly console: string;
  readonly cpu: Readonly<Record<Accelerator, string>>;
  readonly kernelParameters: readonly string[];
}

const x86: Architecture = {
  name: 'x86_64',
  machine: 'pc',
  machineOptions: ['graphics=off', 'hpet=off', 'vmport=off'],
  console: 'ttyS0',
  // Five levels of page tables gain nothing here, and cost TCG. Of "enhanced" string instructions the kernel and the C library
  // believe that they move bytes as fast as words; TCG moves them one by one.
  cpu: { kvm: 'host', tcg: 'max,la57=off,erms=off,fsrm=off' },
  kernelParameters: [
    'edd=off',
    'no_timer_check',
    'tsc=reliable',
    '8250.nr_uarts=1',
    // Without the driver of the clock of the board, udev does not wait for that clock's next second.
    'initcall_blacklist=cmos_init',
  ],
};

const architectures: readonly Architecture[] = [x86];

/** The machine for Node's name of a processor. Throws GuestfsError (ENOTSUP). */
export function findArchitecture(nodeName: string): Architecture {
  const name = nodeName === 'x64' ? 'x86_64' : nodeName;
  const found = architectures.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  throw new GuestfsError(
    'ENOTSUP',
    `the direct backend does not know the processor ${nodeName}: it runs on x86_64; the embedded backend runs everywhere`,
  );
}

/** What a machine is made of. */
export interface MachinePlan {
  readonly architecture: Architecture;
  readonly accelerator: Accelerator;
  readonly kernel: string;
  readonly initrd: string;
  /** The filesystem of the appliance's own disk. */
  readonly rootUuid: string;
  readonly memsizeInMegabytes: number;
  readonly smp: number;
  readonly verbose: boolean;
  readonly network: boolean;
  readonly append: string | null;
  /** Waits for a debugger on TCP port 1234 before the guest's first instruction. */
  readonly gdb: boolean;
  /** Further parameters of the caller's. */
  readonly hvParams: readonly (readonly [string, string | null])[];
  /** Waits to be told by QMP where the machine's state comes from, instead of starting its kernel. */
  readonly incoming: boolean;
}

/** The kernel's command line. */
export function kernelCommandLine(plan: MachinePlan): string {
  const { architecture, append } = plan;
  const words = [
    // A panic ends in a reboot, which qemu turns into its own end: it is noticed at once.
    'panic=1',
    `console=${architecture.console}`,
    'udevtimeout=6000',
    'udev.event-timeout=6000',
    ...architecture.kernelParameters,
    'printk.time=1',
    'cgroup_disable=memory',
    'usbcore.nousb',
    'cryptomgr.notests',
    'selinux=0',
    // What protects one user's memory from another's costs time, and here there is one user.
    'mitigations=off',
    'init_on_alloc=0',
    `root=UUID=${plan.rootUuid}`,
    plan.verbose ? 'guestfs_verbose=1' : 'quiet',
    ...(plan.network ? ['guestfs_network=1'] : []),
    `TERM=dumb`,
  ];
  if (append !== null && append !== '') words.push(append);
  return words.join(' ');
}

/** The nodes of the appliance's own disk, the last of which is what the guest sees: see `rootDevice`. */
export const rootNodes = { image: 'root-image', kept: 'root-kept', writes: 'root-writes' } as const;

/**
 * The appliance's own disk hangs on a controller of its own: so the guest's names of the SCSI disks (`sda`, `sdb`, …) are
 * those of user drives alone, whenever they are added.
 */
export const rootDevice: Json = {
  driver: 'virtio-blk-pci',
  id: 'root',
  drive: rootNodes.writes,
  'num-queues': 1,
  werror: 'report',
  rerror: 'report',
};

const device = (properties: Json): string[] => ['-device', JSON.stringify(properties)];

/** A bare machine: the board and its processor, and nothing that nobody asked for. */
export function boardArguments(architecture: Architecture, accelerator: Accelerator): string[] {
  const { machine, machineOptions, cpu } = architecture;
  return [
    ...['-no-user-config', '-nodefaults', '-display', 'none'],
    ...['-machine', [machine, ...machineOptions].join(',')],
    ...['-accel', accelerator, '-cpu', cpu[accelerator]],
  ];
}

/** The arguments after the program's name. `root` from the bottom up. The machine waits for QMP's `cont`. */
export function qemuArguments(plan: MachinePlan, root: readonly Json[]): string[] {
  const { architecture, accelerator, incoming } = plan;
  const { monitor, channel, console } = qemuDescriptors;
  return [
    ...boardArguments(architecture, accelerator),
    '-m',
    `${plan.memsizeInMegabytes}`,
    ...(plan.smp > 1 ? ['-smp', `${plan.smp}`] : []),
    '-no-reboot',
    '-rtc',
    'driftfix=slew',
    '-S',
    ...(plan.gdb ? ['-gdb', 'tcp:127.0.0.1:1234'] : []),
    ...(incoming ? ['-incoming', 'defer'] : []),
    '-chardev',
    `socket,id=monitor,fd=${monitor}`,
    '-mon',
    'chardev=monitor,mode=control',
    '-chardev',
    `socket,id=console,fd=${console}`,
    '-serial',
    'chardev:console',
    '-object',
    JSON.stringify({ 'qom-type': 'rng-builtin', id: 'rng' }),
    ...device({ driver: 'virtio-rng-pci', rng: 'rng' }),
    ...root.flatMap((node) => ['-blockdev', JSON.stringify(node)]),
    ...device(rootDevice),
    // A running guest is not told of new drives: it is made to look for them, in their order.
    ...device({ driver: 'virtio-scsi-pci', id: driveBus, hotplug: false }),
    ...device({ driver: 'virtio-serial-pci', id: 'serial' }),
    '-chardev',
    `socket,id=channel,fd=${channel}`,
    ...device({ driver: 'virtserialport', chardev: 'channel', name: channelName }),
    ...(plan.network ? networkArguments() : []),
    '-kernel',
    plan.kernel,
    '-initrd',
    plan.initrd,
    '-append',
    kernelCommandLine(plan),
    ...plan.hvParams.flatMap(([name, value]) => (value === null ? [name] : [name, value])),
  ];
}

/** A network of qemu's own, from which the outside is reached and which nothing reaches. */
function networkArguments(): string[] {
  return [
    '-netdev',
    'user,id=net,net=169.254.0.0/16',
    ...device({ driver: 'virtio-net-pci', netdev: 'net', romfile: '' }),
  ];
}
