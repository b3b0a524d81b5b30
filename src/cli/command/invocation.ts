/** One run of a command: what was asked for, where to talk to, and when to stop. */
import type { Progress } from '../../api/index.js';
import { type ColorChoice, type Paint, painter, wantsColor } from '../terminal/colors.js';
import type { Output } from '../terminal/output.js';
import type { ProgressBar, ProgressUnit } from '../terminal/progress-bar.js';
import { humanSize, type SizeFormat } from '../terminal/sizes.js';
import { visible, visibleJson } from '../terminal/visible.js';
import type { OptionTable, ParsedOptions } from './options.js';

/** How often the time beside a stage is brought up to date, in milliseconds. */
const tickInMs = 500;

export interface InvocationOptions {
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
  /** Aborts at Ctrl-C. To be handed to every call. */
  readonly signal: AbortSignal;
  /** Whether an answer lacked what could not be read: the command has done the rest, and ends with a status that says so. */
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

  /** How sizes are shown where people are likelier to read them than programs: `--bytes` for exact ones. */
  get sizeFormat(): SizeFormat {
    return this.options.flag('bytes') ? String : humanSize;
  }

  /** Tells something that is no error on standard error; not with `-q`. */
  note(message: string): void {
    if (!this.isQuiet) this.err.writeNow(`guestfs: ${visible(message)}\n`);
  }

  /** Prints a value as JSON. */
  async printJson(value: unknown): Promise<void> {
    await this.out.write(`${visibleJson(value, 2)}\n`);
  }

  /**
   * Runs a call that may take long, with a progress bar if somebody is looking: standard error is a terminal, nobody said
   * no, and `toScreen` does not say that the call's own output goes to the screen. Of stages, which may each take long, the
   * time is shown as it goes by, and nothing is left of the bar in the end: they come before what was asked for.
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
  /** The first so many operands end the options: what follows belongs to something else. */
  readonly stopAtOperand?: number;
  run(invocation: Invocation): Promise<void>;
}
