/**
 * Finds out in a second or two whether an accelerator really runs a guest. A kernel without any disk is booted until
 * it panics for lack of a root filesystem. On the way it unpacks itself and sets up page tables, timers and
 * interrupts, where a useless KVM fails. The guest gets the processor that the appliance would get.
 */
import { GuestfsError } from '../../base/index.js';
import { runProgram } from '../machine/programs.js';
import { type Accelerator, type Architecture, boardArguments } from '../machine/qemu.js';

/** Far more memory than a kernel needs to reach its panic. */
const memoryInMegabytes = 192;

/** With KVM the panic comes within half a second. A guest without a panic after this many milliseconds is ended. */
const usualLimitInMs = 5000;

/** The panic message of a kernel that lacked nothing but its disk. */
const missesItsDisk = /Kernel panic - not syncing: VFS: Unable to mount root/;

interface TrialOptions {
  /** The program's path. */
  readonly hv: string;
  readonly kernel: string;
  readonly architecture: Architecture;
  readonly accelerator: Accelerator;
  readonly limitInMs?: number;
  readonly signal?: AbortSignal | undefined;
}

interface GuestTrial {
  /** Why the guest did not run; undefined if it did. */
  readonly problem: string | undefined;
  readonly milliseconds: number;
}

function trialArguments({ kernel, architecture, accelerator }: TrialOptions): string[] {
  const { console, kernelParameters } = architecture;
  return [
    ...boardArguments(architecture, accelerator),
    '-m',
    `${memoryInMegabytes}`,
    '-no-reboot',
    '-serial',
    'stdio',
    '-kernel',
    kernel,
    '-append',
    // A panic causes an immediate reboot, which ends qemu.
    ['panic=-1', 'quiet', `console=${console}`, ...kernelParameters].join(' '),
  ];
}

/** qemu's own last message, without its name. */
function lastMessage(output: string): string | undefined {
  const lines = output.split('\n').filter((line) => /^\S*qemu\S*: /.test(line) && !/\bwarning: /.test(line));
  return lines
    .at(-1)
    ?.replace(/^\S+: /, '')
    .trim();
}

/** Boots. Rejects with GuestfsError (ECANCELED, or why qemu cannot be started). */
export async function tryGuest(options: TrialOptions): Promise<GuestTrial> {
  const { hv, limitInMs = usualLimitInMs, signal } = options;
  const start = performance.now();
  const end = (problem?: string): GuestTrial => ({ problem, milliseconds: performance.now() - start });
  try {
    const run = await runProgram(hv, trialArguments(options), { signal, timeoutInMs: limitInMs });
    if (missesItsDisk.test(run.output)) return end();
    const panic = /Kernel panic - .*/.exec(run.output)?.[0];
    const how = run.signal === null ? `ended with status ${run.exitCode}` : `was ended by ${run.signal}`;
    const words = lastMessage(run.output) ?? panic?.trim();
    return end(`qemu ${how}${words === undefined ? '' : `: ${words}`}`);
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code !== 'ETIMEDOUT') throw thrown;
    return end(`a kernel hung, and was given up after ${limitInMs / 1000} seconds`);
  }
}
