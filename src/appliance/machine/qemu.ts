/**
 * The command line of the appliance's qemu. It names no user drive: drives are added by QMP before the processor
 * starts (drives.ts), in the same way for a boot and for a resume. Pure. Source: qemu's manual page, the kernel's
 * kernel-parameters.txt, and the words of supermin and guestfsd on the kernel command line.
 *
 * The machine gets its sockets as open file descriptors, so no socket in the file system can be reached by others.
 */
import { GuestfsError } from '../../base/index.js';
import { driveBus } from '../drives/blocks.js';
import type { Json } from './qmp.js';

export type Accelerator = 'kvm' | 'tcg';

/** File descriptors that qemu is started with, beyond the usual three. */
export const qemuDescriptors = { monitor: 3, channel: 4, console: 5, memory: 6 } as const;

/** The name of the serial port that guestfsd opens. */
const channelName = 'org.libguestfs.channel.0';

/** The known machine types, by the processor's name in qemu's program name. */
export interface Architecture {
  /** The processor as `query-target` and supermin's `--host-cpu` name it. */
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
  // Five levels of page tables give no advantage here and slow TCG. The kernel and the C library take "enhanced"
  // string instructions for fast, but TCG moves their bytes one by one.
  cpu: { kvm: 'host', tcg: 'max,la57=off,erms=off,fsrm=off' },
  kernelParameters: [
    'edd=off',
    'no_timer_check',
    'tsc=reliable',
    '8250.nr_uarts=1',
    // Without a driver for the board's clock, udev does not wait for the clock's next second.
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

/** What a machine is made of. For tests. */
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
  /** Waits for QMP to name the source of the machine's state, instead of starting its kernel. */
  readonly incoming: boolean;
}

/** The kernel's command line. For tests. */
export function kernelCommandLine(plan: MachinePlan): string {
  const { architecture, append } = plan;
  const words = [
    // A panic causes a reboot, which ends qemu, so it is noticed at once.
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

/** The nodes of the appliance's own disk. The guest sees the last one: see `rootDevice`. */
export const rootNodes = { image: 'root-image', kept: 'root-kept', writes: 'root-writes' } as const;

/**
 * The appliance's own disk has a controller of its own. So the guest's SCSI disk names (`sda`, `sdb`, …) belong to
 * user drives alone, whenever these are added.
 */
const rootDevice: Json = {
  driver: 'virtio-blk-pci',
  id: 'root',
  drive: rootNodes.writes,
  'num-queues': 1,
  werror: 'report',
  rerror: 'report',
};

const device = (properties: Json): string[] => ['-device', JSON.stringify(properties)];

/** A bare machine: the board and its processor, without default devices. */
export function boardArguments(architecture: Architecture, accelerator: Accelerator): string[] {
  const { machine, machineOptions, cpu } = architecture;
  return [
    ...['-no-user-config', '-nodefaults', '-display', 'none'],
    ...['-machine', [machine, ...machineOptions].join(',')],
    ...['-accel', accelerator, '-cpu', cpu[accelerator]],
  ];
}

/**
 * The arguments after the program's name. `root` is ordered from the bottom up. The machine waits for QMP's `cont`.
 */
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
    // A running guest gets no notice of new drives: it is made to scan for them, in their order.
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

/** qemu's user network: the guest can reach the outside, and nothing can reach the guest. */
function networkArguments(): string[] {
  return [
    '-netdev',
    'user,id=net,net=169.254.0.0/16',
    ...device({ driver: 'virtio-net-pci', netdev: 'net', romfile: '' }),
  ];
}
