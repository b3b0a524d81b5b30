/**
 * Prepares a machine that did not boot with its drives before its first call: it resumed from a snapshot, or its
 * snapshot was made just now. It gets its drives, and then does the steps of the appliance's own start for them. A
 * resumed machine shares its memory with others of the same snapshot, so its clock is set and its random generator is
 * reseeded.
 */
import type { BackendConfig } from '../../api/index.js';
import { attachDrives } from '../drives/drives.js';
import type { Connection } from '../wire/connection.js';
import type { Machine } from './machine.js';
import { refreshInput, refreshProgram } from './snapshot-refresh.js';

/** How long the guest may take to see one drive, in milliseconds. */
const sightInMs = 60_000;
const lookEveryInMs = 20;

/**
 * Makes the guest see drives one after another, so that its names follow the drive numbers: the kernel names a disk
 * when its driver gets to it, and drivers run in any order. At the end, udev has finished with all of them.
 */
function scanScript(count: number): string {
  return `
for host in /sys/class/scsi_host/host*; do
  read -r name < $host/proc_name
  if [ "$name" = virtio_scsi ]; then bus=\${host##*/host}; fi
done
await() {
  looks=0
  until [ -e $1 ]; do
    looks=$((looks + 1))
    if [ $looks -gt ${Math.ceil(sightInMs / lookEveryInMs)} ]; then echo "drive $drive does not show" >&2; exit 1; fi
    sleep ${lookEveryInMs / 1000}
  done
}
drive=0
while [ $drive -lt ${count} ]; do
  echo "0 $drive 0" > /sys/class/scsi_host/host$bus/scan
  device=/sys/class/scsi_device/$bus:0:$drive:0/device
  await "$device/block/*/dev"
  read -r number < $(echo $device/block/*/dev)
  numbers="$numbers $number"
  echo 300 > $device/timeout
  drive=$((drive + 1))
done
for number in $numbers; do await /run/udev/data/b$number; done
udevadm settle --timeout=600
`;
}

/**
 * The last steps of the appliance's /init, only where a drive needs them. An array may hold physical volumes, so
 * these are searched again once arrays run.
 */
const assembleScript = `
export LVM_SYSTEM_DIR=/tmp/lvm
look() {
  found=$(grep -Ehs '^E:ID_FS_TYPE=(.*_raid_member|LVM2_member)$|^E:ID_PART_ENTRY_TYPE=(0x42|5808c8aa-7e8f-42e0-85d2-e1e90434cfb3|af9b60a0-1431-4f62-bc68-3311714a69ad)$' /run/udev/data/b*)
}
look
case "$found" in *_raid_member*)
  mdadm -As --auto=yes --no-degraded
  mdadm -As --auto=yes --run
  udevadm settle --timeout=600
  look
esac
case "$found" in *LVM2_member*)
  lvm pvscan --cache --activate ay
  udevadm settle --timeout=600
esac
case "$found" in *ID_PART_ENTRY_TYPE*)
  ldmtool create all
  udevadm settle --timeout=600
esac
true
`;

/** The path of the refresh program: in the machine's memory, so the snapshot contains it. */
const program = '/run/guestfs-renew';

/**
 * Runs before the snapshot: installs the refresh program, and reads everything from the appliance's disk that a
 * resume will run, so that a resume need not read it.
 */
const prepareScript = (architecture: string): string => `
umask 077
echo ${refreshProgram(architecture).toString('base64')} | base64 -d > ${program} && chmod 700 ${program} || exit 1
udevadm settle
sleep 0
grep -Ehs nothing /run/udev/data/b*
/lib/udev/scsi_id --version
true
`;

/** A byte as a shell's printf takes it. */
const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;

/** Sets the clock, the random generator, and the one random number that /init draws and keeps. */
function refreshScript(): string {
  return `
printf '${[...refreshInput()].map(octal).join('')}' | ${program} || exit 1
read -r id < /proc/sys/kernel/random/uuid
IFS=-
set -- $id
unset IFS
echo "$1$2$3$4$5" > /etc/machine-id
`;
}

/** Sets the clock of a machine that booted: the board's clock has whole seconds, and is read only at the start. */
const clockScript = (): string => `date -s @${(Date.now() / 1000).toFixed(3)} > /dev/null || exit 1\n`;

const shell = async (connection: Connection, script: string): Promise<void> => {
  await connection.call('debug', ['sh', [script]], {}, {});
};

/** Runs before a snapshot of the machine is made. Rejects with GuestfsError. */
export async function prepareForKeeping(connection: Connection, architecture: string): Promise<void> {
  await shell(connection, prepareScript(architecture));
}

/** Sets the clock of a machine that booted. Rejects with GuestfsError. */
export async function setClock(connection: Connection): Promise<void> {
  await shell(connection, clockScript());
}

interface ResumeOptions {
  readonly config: BackendConfig;
  /** Whether other machines have, or may get, the same memory. */
  readonly isKept: boolean;
  /** Called when the drives are in place: later failures are not theirs. */
  readonly attached: () => void;
}

/** Prepares a machine, which runs already or is started by `proceed`, to answer calls. Rejects with GuestfsError. */
export async function resume(
  machine: Machine,
  connection: Connection,
  proceed: () => Promise<void>,
  { config, isKept, attached }: ResumeOptions,
): Promise<void> {
  await attachDrives(machine.qmp, config.drives, { directory: machine.directory, policy: config.policy });
  attached();
  await proceed();
  const scripts = [
    isKept ? refreshScript() : clockScript(),
    ...(config.drives.length === 0 ? [] : [scanScript(config.drives.length), assembleScript]),
  ];
  await shell(connection, scripts.join(''));
}
