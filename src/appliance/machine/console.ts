/**
 * Splits a byte stream into lines for people: a machine's serial console, a program's messages. Output from inside a
 * guest is not trusted: lines have a length limit, and terminal control sequences are removed.
 */
import type { Readable } from 'node:stream';

const longestLine = 4096;
/** How many lines are kept for error messages. */
const keptLines = 64;

const escapeByte = String.fromCodePoint(0x1b);
const bell = String.fromCodePoint(7);
/** Terminal control sequences: with parameters (colours, cursor), with a text (title), of two characters. */
const sequences = new RegExp(
  `${escapeByte}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${bell}${escapeByte}]*(?:${bell}|${escapeByte}\\\\)?|[@-Z\\\\^_a-z])`,
  'g',
);
/** The control characters but the tab. */
const controls = /(?!\t)\p{Cc}/gu;

/** Output of the firmware, before any kernel runs. */
const firmware = /^(?:SeaBIOS|Booting from|iPXE|qboot|\s*$)/;

export class LineLog {
  readonly #listener: (line: string) => void;
  #rest = '';
  #kept: string[] = [];
  #lastHeardAt = performance.now();
  #beyondFirmware = false;

  /** `listener` is called for each line, without the newline. */
  constructor(source: Readable, listener: (line: string) => void = () => {}) {
    this.#listener = listener;
    source.setEncoding('utf8');
    source.on('data', (text: string) => this.#take(text));
    source.on('end', () => this.flush());
    source.on('error', () => this.flush());
  }

  /** The last line that is not empty; undefined if there was none. */
  get lastLine(): string | undefined {
    return this.#kept.findLast((line) => line.trim() !== '' && !firmware.test(line));
  }

  /** The last lines, the oldest first. */
  get lines(): readonly string[] {
    return this.#kept;
  }

  /** The time of the last output, or of the creation of this object: by `performance.now()`. */
  get lastHeardAt(): number {
    return this.#lastHeardAt;
  }

  /** Whether any line came that is not the firmware's, which shows that a kernel has run. */
  get beyondFirmware(): boolean {
    return this.#beyondFirmware;
  }

  /** Makes a line of what has no end yet. */
  flush(): void {
    const rest = this.#rest;
    this.#rest = '';
    if (rest !== '') this.#add(rest);
  }

  #take(text: string): void {
    this.#lastHeardAt = performance.now();
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() as string; // safe: a split has at least one part
    for (const line of lines) this.#add(line);
    if (this.#rest.length > longestLine) this.flush();
  }

  #add(raw: string): void {
    const line = raw.slice(0, longestLine).replace(sequences, '').replace(controls, '');
    if (!firmware.test(line)) this.#beyondFirmware = true;
    this.#kept.push(line);
    if (this.#kept.length > 2 * keptLines) this.#kept = this.#kept.slice(-keptLines);
    this.#listener(line);
  }
}
