/** A line on a terminal that shows how far a call has come, how fast it goes, and when it will be done. */
import { monotonicTime } from '../../base/index.js';
import { humanSize } from './sizes.js';
import { visible } from './visible.js';
import { cut, padEnd, padStart } from './width.js';

/** The unit of a call's positions. Stages differ in length, so no end time is estimated from them. */
export type ProgressUnit = 'bytes' | 'steps' | 'stages';

interface BarState {
  readonly label: string;
  readonly unit: ProgressUnit;
  readonly position: number;
  readonly total: number;
  /** Since the call started. */
  readonly elapsedInMs: number;
  /** Recent units per second; undefined while unknown. */
  readonly rate: number | undefined;
  /** Counts the drawings of a bar of unknown length. */
  readonly pulse: number;
}

/** `0:07`, `12:34`, `1:02:03`. For tests. */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/**
 * guestfsd and our engine report 0 of 1 for "working, length unknown", and 1 of 1 at the end: these positions count
 * nothing.
 */
const countsNothing = ({ total }: Pick<BarState, 'total'>): boolean => total <= 1;
const isUnknown = (state: Pick<BarState, 'position' | 'total'>): boolean =>
  countsNothing(state) && state.position < state.total;

/** Shorter calls show no bar. The handle has the same rule and sends no report before this time. */
const patienceInMs = 2000;

const leastBar = 10;
const mostBar = 40;
const mostLabel = 24;

/**
 * The bar in `columns` columns, one less than the terminal has, because the cursor would wrap in the last one. For
 * tests. For tests.
 */
export function renderBar(state: BarState, columns: number): string {
  const { unit, position, total, elapsedInMs, rate } = state;
  const width = columns - 1;
  const unknown = isUnknown(state);
  const fraction = total > 0 ? Math.min(1, Math.max(0, position / total)) : 0;
  const facts: string[] = [];
  if (unknown) facts.push(clockText(elapsedInMs / 1000));
  else {
    facts.push(padStart(`${Math.floor(fraction * 100)}%`, 4));
    const inBytes = unit === 'bytes' && !countsNothing(state);
    if (inBytes) facts.push(padStart(humanSize(position), 5));
    if (inBytes && rate !== undefined) facts.push(padStart(`${humanSize(Math.round(rate))}/s`, 7));
    if (unit === 'stages') facts.push(clockText(elapsedInMs / 1000));
    else if (fraction >= 1) facts.push(`in  ${clockText(elapsedInMs / 1000)}`);
    else if (rate !== undefined && rate > 0) facts.push(`ETA ${clockText((total - position) / rate)}`);
  }
  const right = facts.join(' ');
  const free = width - right.length - 4; // brackets and two spaces
  const label = cut(visible(state.label), Math.max(0, Math.min(mostLabel, free - leastBar)));
  const barWidth = Math.min(mostBar, free - Math.min(mostLabel, Math.max(0, free - leastBar)));
  if (barWidth < leastBar) return cut(`${label} ${right}`.trim(), width);
  const bar = unknown ? pulseBar(barWidth, state.pulse) : filledBar(barWidth, fraction);
  return `${padEnd(label, Math.min(mostLabel, free - barWidth))} [${bar}] ${right}`;
}

function filledBar(width: number, fraction: number): string {
  const filled = Math.floor(width * fraction);
  if (filled >= width) return '='.repeat(width);
  return `${'='.repeat(filled)}>${' '.repeat(width - filled - 1)}`;
}

/** A block that goes from side to side. */
function pulseBar(width: number, pulse: number): string {
  const block = '<=>';
  const way = width - block.length;
  const step = pulse % (2 * way);
  const at = step <= way ? step : 2 * way - step;
  return ' '.repeat(at) + block + ' '.repeat(way - at);
}

/** The rate over the last few seconds, so that it follows a disk that becomes slower. */
class RateMeter {
  readonly #samples: { at: number; position: number }[] = [];
  static readonly windowInMs = 5000;

  add(at: number, position: number): number | undefined {
    this.#samples.push({ at, position });
    while (this.#samples.length > 2 && at - (this.#samples[1]?.at ?? at) >= RateMeter.windowInMs)
      this.#samples.shift();
    const oldest = this.#samples[0];
    if (oldest === undefined || at <= oldest.at) return undefined;
    return ((position - oldest.position) * 1000) / (at - oldest.at);
  }
}

interface ProgressBarOptions {
  readonly label: string;
  readonly unit: ProgressUnit;
  /** Writes to the terminal. */
  readonly write: (text: string) => void;
  readonly columns: () => number;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** The bar of one call. Nothing is drawn before the first report, which the handle sends after two seconds. */
export class ProgressBar {
  readonly #options: ProgressBarOptions;
  readonly #now: () => number;
  readonly #start: number;
  readonly #meter = new RateMeter();
  #pulse = 0;
  #drawn = false;
  #last: { readonly position: number; readonly total: number } = { position: 0, total: 1 };

  /** The call starts now. */
  constructor(options: ProgressBarOptions) {
    this.#options = options;
    this.#now = options.now ?? monotonicTime;
    this.#start = this.#now();
    this.#meter.add(this.#start, 0);
  }

  report({ position, total }: { readonly position: number; readonly total: number }): void {
    this.#last = { position, total };
    const { label, unit, write, columns } = this.#options;
    const now = this.#now();
    const elapsedInMs = now - this.#start;
    const done = position >= total;
    // At the end, the bar shows the rate of the whole call.
    const lately = this.#meter.add(now, position);
    const rate = done && elapsedInMs > 0 ? (position * 1000) / elapsedInMs : lately;
    const line = renderBar(
      { label, unit, position, total, elapsedInMs, rate, pulse: this.#pulse++ },
      columns(),
    );
    write(`\r${line}\x1b[K`);
    this.#drawn = true;
  }

  /** Redraws the last report with the present time, if the call has taken long enough to show a bar. */
  tick(): void {
    if (this.#now() - this.#start >= patienceInMs) this.report(this.#last);
  }

  /** The call is over. A bar that reached its end stays on its line if `stays` is set; other bars are erased. */
  end(succeeded: boolean, stays = true): void {
    if (!this.#drawn) return;
    this.#drawn = false;
    this.#options.write(succeeded && stays ? '\n' : '\r\x1b[K');
  }
}
