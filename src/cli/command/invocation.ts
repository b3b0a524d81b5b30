/** One run of a command: its options, its terminal, and its signal to stop. */
import type { Progress } from '../../api/index.js';
import { type ColorChoice, type Paint, painter, wantsColor } from '../terminal/colors.js';
import type { Output } from '../terminal/output.js';
import type { ProgressBar, ProgressUnit } from '../terminal/progress-bar.js';
import { humanSize, type SizeFormat } from '../terminal/sizes.js';
import { visible, visibleJson } from '../terminal/visible.js';
import type { OptionTable, ParsedOptions } from './options.js';

/** How often the elapsed time beside a stage is redrawn, in milliseconds. */
const tickInMs = 500;

interface InvocationOptions {
  /** The command's name, for messages. */
  readonly command: string;
  readonly operands: readonly string[];
  readonly options: ParsedOptions;
  readonly out: Output;
  readonly err: Output;
  readonly signal: AbortSignal;
}

export class Invocation {
  readonly command: string;
  readonly operands: readonly string[];
  readonly options: ParsedOptions;
  readonly out: Output;
  readonly err: Output;
  /** Aborts at Ctrl-C. Every call gets this signal. */
  readonly signal: AbortSignal;
  /**
   * Whether the answer is incomplete because something could not be read. The command then does the rest and ends
   * with the exit status for that.
   */
  isPartial = false;
  /** Whether the bar of a launch has the place of the one of the call that caused it. */
  #showsLaunch = false;

  constructor({ command, operands, options, out, err, signal }: InvocationOptions) {
    this.command = command;
    this.operands = operands;
    this.options = options;
    this.out = out;
    this.err = err;
    this.signal = signal;
  }

  get isQuiet(): boolean {
    return this.options.flag('quiet');
  }

  /** Colours for standard output. */
  get paint(): Paint {
    const choice = (this.options.text('color') ?? 'auto') as ColorChoice; // safe: the option is a choice of these
    return painter(wantsColor(this.out, choice));
  }

  /** How sizes are shown in output that mainly people read. With `--bytes` they are exact. */
  get sizeFormat(): SizeFormat {
    return this.options.flag('bytes') ? String : humanSize;
  }

  /** Prints a note that is no error on standard error; with `-q` nothing. */
  note(message: string): void {
    if (!this.isQuiet) this.err.writeNow(`guestfs: ${visible(message)}\n`);
  }

  /** Prints a value as JSON. */
  async printJson(value: unknown): Promise<void> {
    await this.out.write(`${visibleJson(value, 2)}\n`);
  }

  /**
   * Runs a call that may take long, with a progress bar. The bar appears if standard error is a terminal, no option
   * forbids it, and `toScreen` is not set, which means that the call's own output goes to the screen. For stages,
   * which may each take long, the elapsed time is shown; their bar is erased at the end, because a stage only
   * prepares what the user asked for.
   */
  async withProgress<T>(
    label: string,
    unit: ProgressUnit,
    call: (controls: { signal: AbortSignal; onProgress?: (progress: Progress) => void }) => Promise<T>,
    { toScreen = false } = {},
  ): Promise<T> {
    const { signal } = this;
    if (!this.#showsProgress || toScreen) return await call({ signal });
    const bar = await this.#makeBar(label, unit);
    const hasStages = unit === 'stages';
    const clock = hasStages ? setInterval(() => bar.tick(), tickInMs) : undefined;
    let hasLaunched = false;
    let isOwn = false;
    const onProgress = (progress: Progress): void => {
      hasLaunched ||= this.#showsLaunch;
      // After a launch, a call that tells nothing but its end has a last report that is about the launch.
      isOwn ||= !hasLaunched || (!this.#showsLaunch && progress.position < progress.total);
      if (isOwn && !this.#showsLaunch) bar.report(progress);
    };
    try {
      const value = await call({ signal, onProgress });
      bar.end(true, !hasStages);
      return value;
    } catch (thrown) {
      bar.end(false);
      throw thrown;
    } finally {
      clearInterval(clock);
    }
  }

  /**
   * Shows how far a launch is that a call has caused, in a bar of its own, which goes away when the launch is over or
   * something is written. `hear` gets the handle's progress to a listener, and gives what ends that.
   */
  async showLaunch(
    isUnderWay: () => boolean,
    hear: (listener: (progress: Progress) => void) => () => void,
  ): Promise<void> {
    if (!this.#showsProgress) return;
    const bar = await this.#makeBar('launch', 'stages');
    if (!isUnderWay()) return;
    const outputs = [this.out, this.err];
    const end = (): void => {
      this.#showsLaunch = false;
      clearInterval(clock);
      stopHearing();
      for (const output of outputs) output.beforeWrite = undefined;
      bar.end(true, false);
    };
    const draw = (work: () => void): void => (isUnderWay() ? work() : end());
    const clock = setInterval(() => draw(() => bar.tick()), tickInMs).unref();
    const stopHearing = hear((progress) => draw(() => bar.report(progress)));
    for (const output of outputs) output.beforeWrite = end;
    this.#showsLaunch = true;
  }

  get #showsProgress(): boolean {
    return !this.isQuiet && !this.options.flag('no-progress') && this.err.isTerminal;
  }

  async #makeBar(label: string, unit: ProgressUnit): Promise<ProgressBar> {
    const { ProgressBar } = await import('../terminal/progress-bar.js');
    return new ProgressBar({
      label,
      unit,
      write: (text) => this.err.draw(text),
      columns: () => this.err.columns,
    });
  }
}

/** A command. Its help is in help-texts.ts. */
export interface Command {
  readonly options: OptionTable;
  /** After this many operands options end: the words that follow belong to another program or action. */
  readonly stopAtOperand?: number;
  run(invocation: Invocation): Promise<void>;
}
