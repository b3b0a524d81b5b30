/** Watches a guest that boots or resumes: its output, and whether it stops. */
import type { GuestfsError } from '../../base/index.js';
import { BootError, consoleTail, seeAll } from './boot-error.js';
import { type BootOptions, launchSteps } from './boot-options.js';
import type { Machine } from './machine.js';

/** How often the time since the last output is checked, in milliseconds. */
const watchEveryInMs = 200;

/** How long qemu's message may come after its event, in milliseconds. */
const wordsInMs = 200;

export class Watch {
  readonly #options: BootOptions;
  readonly #machine: Machine;
  readonly #fail: (error: GuestfsError) => void;
  readonly #startedAt = performance.now();
  #runningSince: number | undefined;
  #sawKernel = false;
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  #stopping: NodeJS.Timeout | undefined;

  constructor(options: BootOptions, machine: Machine, fail: (error: GuestfsError) => void) {
    this.#options = options;
    this.#machine = machine;
    this.#fail = fail;
    this.#timer = setInterval(() => this.#look(), watchEveryInMs);
    this.#stopListening = machine.qmp.onEvent(({ event }) => {
      // Nobody requested this stop. Only an internal error of KVM causes it, or a debugger, whose stops are allowed.
      if (event === 'STOP' && this.#runningSince !== undefined && !options.gdb)
        // qemu's message about it comes through another pipe, perhaps a moment later.
        this.#stopping ??= setTimeout(() => this.#stopped(), wordsInMs);
    });
  }

  /** The guest runs from now on. */
  begin(): void {
    this.#runningSince = performance.now();
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#stopping);
    this.#stopListening();
  }

  #stopped(): void {
    this.#fail(
      new BootError(
        'EIO',
        `qemu stopped the machine: ${consoleTail(this.#machine) ?? 'it does not say why'}`,
        seeAll,
      ),
    );
  }

  #look(): void {
    const { accelerator, config, limits, gdb, events, from } = this.#options;
    const { console } = this.#machine;
    const now = performance.now();
    // A resumed guest prints nothing.
    if (from !== undefined) {
      const limit = limits.resumeInMs + config.drives.length * limits.driveInMs;
      if (now - this.#startedAt > limit) this.#late('was not up after', limit);
      return;
    }
    if (console.beyondFirmware && !this.#sawKernel) {
      this.#sawKernel = true;
      events.progress(launchSteps.kernel, launchSteps.total);
    }
    // A debugger is stepping through the guest.
    if (gdb) return;
    if (now - this.#startedAt > limits.bootInMs) return this.#late('was not up after', limits.bootInMs);
    if (this.#runningSince === undefined) return;
    const silence = now - Math.max(console.lastHeardAt, this.#runningSince);
    if (accelerator === 'kvm') {
      if (!console.beyondFirmware && now - this.#runningSince > limits.kvmFirstLineInMs)
        return this.#late("printed nothing of a kernel's for", limits.kvmFirstLineInMs);
      if (silence > limits.kvmSilenceInMs) return this.#late('printed nothing for', limits.kvmSilenceInMs);
    }
    if (silence > limits.silenceInMs) this.#late('printed nothing for', limits.silenceInMs);
  }

  #late(what: string, limitInMs: number): void {
    const line = this.#machine.console.lastLine;
    const last = line === undefined ? '' : `; its last line is: ${line.trim()}`;
    this.#fail(
      new BootError('ETIMEDOUT', `the appliance ${what} ${limitInMs / 1000} seconds${last}`, seeAll),
    );
  }
}
