/** The progress bar, drawn by a clock of the test's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockText, ProgressBar, type ProgressUnit, renderBar } from '../../src/cli/terminal/progress-bar.js';
import { widthOf } from '../../src/cli/terminal/width.js';

const MiB = 1024 * 1024;

/** A bar on a terminal of 80 columns, and what it wrote. */
function make(label = '/big', unit: ProgressUnit = 'bytes') {
  const written: string[] = [];
  let time = 0;
  const bar = new ProgressBar({
    label,
    unit,
    write: (text) => written.push(text),
    columns: () => 80,
    now: () => time,
  });
  return {
    bar,
    written,
    at: (milliseconds: number) => {
      time = milliseconds;
    },
  };
}

/** The text of a drawing, without the moves of the cursor. */
const lineOf = (text: string): string => text.replace('\r', '').replace('\x1b[K', '');

test('a bar shows share, amount, rate and the time to come', () => {
  const { bar, written, at } = make();
  at(2000);
  bar.report({ position: 20 * MiB, total: 100 * MiB });
  const line = lineOf(written[0] ?? '');
  assert.match(line, /^\/big +\[=+> +\] {2}20% {3}20M {3}10M\/s ETA 0:08$/);
  assert.ok(widthOf(line) <= 79, line);
});

test('the rate follows what happened lately', () => {
  const { bar, written, at } = make();
  for (let second = 1; second <= 20; second++) {
    at(second * 1000);
    // 10 MiB a second for ten seconds, then 1 MiB a second
    bar.report({ position: (second <= 10 ? second * 10 : 90 + second) * MiB, total: 200 * MiB });
  }
  assert.match(written[9] ?? '', / 10M\/s /);
  assert.match(written[19] ?? '', / 1\.0M\/s ETA 1:30/);
});

test('at its end a bar is full, tells the rate of the whole, and stays', () => {
  const { bar, written, at } = make();
  at(2000);
  bar.report({ position: 50 * MiB, total: 100 * MiB });
  at(5000);
  bar.report({ position: 100 * MiB, total: 100 * MiB });
  assert.match(lineOf(written[1] ?? ''), /^\/big +\[=+\] 100% {2}100M {3}20M\/s in {2}0:05$/);
  bar.end(true);
  assert.equal(written.at(-1), '\n');
});

test('a bar of a call that failed goes away', () => {
  const { bar, written, at } = make();
  at(2000);
  bar.report({ position: 1, total: 100 });
  bar.end(false);
  assert.equal(written.at(-1), '\r\x1b[K');
});

test('nothing is written for a call that told nothing', () => {
  const { bar, written } = make();
  bar.end(true);
  bar.end(false);
  assert.deepEqual(written, []);
});

test('stages show the time as it goes by, foretell nothing, and leave nothing', () => {
  const { bar, written, at } = make('launch', 'stages');
  at(1900);
  bar.tick();
  assert.deepEqual(written, [], 'what is done sooner shows nothing');
  at(2400);
  bar.tick();
  assert.match(lineOf(written[0] ?? ''), /^launch +\[[<=> ]+\] 0:02$/);
  bar.report({ position: 6, total: 12 });
  at(7000);
  bar.tick();
  assert.match(lineOf(written[2] ?? ''), /^launch +\[=+> +\] {2}50% 0:07$/);
  bar.end(true, false);
  assert.equal(written.at(-1), '\r\x1b[K');
});

test('an unknown length is a block that goes from side to side', () => {
  const { bar, written, at } = make('/', 'steps');
  const places: number[] = [];
  for (let step = 0; step < 90; step++) {
    at(2000 + step * 333);
    bar.report({ position: 0, total: 1 });
    const line = lineOf(written.at(-1) ?? '');
    assert.match(line, /^\/ +\[ *<=> *\] \d:\d\d$/);
    assert.ok(widthOf(line) <= 79);
    places.push(line.indexOf('<=>'));
  }
  assert.equal(new Set(places).size, 38);
  for (let step = 1; step < places.length; step++)
    assert.equal(Math.abs((places[step] ?? 0) - (places[step - 1] ?? 0)), 1);
});

test('a bar fits every terminal, and its label has no control characters', () => {
  const label = `/very/long/\x1b[31m漢字漢字/${'path/'.repeat(30)}`;
  for (let columns = 12; columns <= 200; columns++) {
    for (const [position, total] of [
      [0, 1],
      [0, 100],
      [5 * 1024 ** 4, 9 * 1024 ** 4],
      [100, 100],
    ] as const) {
      const line = renderBar(
        { label, unit: 'bytes', position, total, elapsedInMs: 4_000_000, rate: 123456, pulse: columns },
        columns,
      );
      assert.ok(widthOf(line) < columns, `${columns}: ${line}`);
      assert.ok(!line.includes('\x1b'));
    }
  }
});

test('steps have no bytes', () => {
  const line = renderBar(
    { label: 'x', unit: 'steps', position: 1, total: 4, elapsedInMs: 3000, rate: 1, pulse: 0 },
    80,
  );
  assert.match(line, /25% ETA 0:03$/);
});

test('times are short', () => {
  assert.equal(clockText(0.4), '0:00');
  assert.equal(clockText(7), '0:07');
  assert.equal(clockText(754), '12:34');
  assert.equal(clockText(3723), '1:02:03');
  assert.equal(clockText(-1), '0:00');
});

test('the end of what nobody knew the length of is told without an amount', () => {
  const { bar, written, at } = make();
  at(3000);
  bar.report({ position: 0, total: 1 });
  at(6400);
  bar.report({ position: 1, total: 1 });
  assert.match(lineOf(written[0] ?? ''), /^\/big +\[[ <=>]+\] 0:03$/);
  assert.match(lineOf(written[1] ?? ''), /^\/big +\[=+\] 100% in {2}0:06$/);
});
