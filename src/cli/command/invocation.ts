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
    if (this.isQuiet || this.options.flag('no-progress') || toScreen || !this.err.isTerminal)
      return await call({ signal });
    const { ProgressBar } = await import('../terminal/progress-bar.js');
    const bar: ProgressBar = new ProgressBar({
      label,
      unit,
      write: (text) => this.err.writeNow(text),
      columns: () => this.err.columns,
    });
    const hasStages = unit === 'stages';
    const clock = hasStages ? setInterval(() => bar.tick(), tickInMs) : undefined;
    try {
      const value = await call({ signal, onProgress: (progress) => bar.report(progress) });
      bar.end(true, !hasStages);
      return value;
    } catch (thrown) {
      bar.end(false);
      throw thrown;
    } finally {
      clearInterval(clock);
    }
  }
}

/** A command. Its help is in help-texts.ts. */
export interface Command {
  readonly options: OptionTable;
  /** After this many operands options end: the words that follow belong to another program or action. */
  readonly stopAtOperand?: number;
  run(invocation: Invocation): Promise<void>;
}
