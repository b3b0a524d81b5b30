/** Tables and lists for people: each column is as wide as its widest cell. */
import { visible } from './visible.js';
import { padEnd, padStart, widthOf } from './width.js';

interface Column {
  readonly title: string;
  /** Numbers stand right. */
  readonly right?: boolean;
}

/**
 * Joins cells to lines with aligned columns; `right` marks the columns that are aligned right. The last column is not
 * padded.
 */
export function alignedLines(
  rows: readonly (readonly string[])[],
  right: readonly boolean[],
  gap = 2,
): string[] {
  const widths = right.map((_, index) =>
    rows.reduce((most, row) => Math.max(most, widthOf(row[index] ?? '')), 0),
  );
  return rows.map((row) =>
    right
      .map((isRight, index) => {
        const cell = row[index] ?? '';
        return isRight ? padStart(cell, widths[index] ?? 0) : padEnd(cell, widths[index] ?? 0);
      })
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}

/** Lines of a table, its titles first. Cells are made visible. For tests. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  return alignedLines(
    [columns.map(({ title }) => title), ...rows.map((row) => row.map(visible))],
    columns.map(({ right }) => right === true),
  );
}

/** A column of a table, and its cell for each row. */
export interface ColumnOf<R> extends Column {
  readonly cell: (row: R) => string;
  /** The column is left out if it is empty in all rows: disks without labels show no label column. */
  readonly optional?: boolean;
}

/** Lines of a table of things. */
export function tableOf<R>(columns: readonly ColumnOf<R>[], rows: readonly R[]): string[] {
  const used = columns.filter(({ cell, optional }) => !optional || rows.some((row) => cell(row) !== ''));
  return tableLines(
    used,
    rows.map((row) => used.map(({ cell }) => cell(row))),
  );
}

/** Facts, one a line, with names padded to the longest. */
export function factLines(facts: readonly (readonly [string, string])[], indent = ''): string[] {
  const width = Math.max(0, ...facts.map(([name]) => widthOf(name)));
  return facts.map(([name, value]) => `${indent}${padEnd(name, width)}  ${visible(value)}`.trimEnd());
}

/** A word of a grid: its text for the width, and its text with colours for the output. */
interface GridWord {
  readonly text: string;
  readonly shown: string;
}

/** The widths of a grid's columns for a number of rows. */
function gridWidths(widths: readonly number[], rows: number): number[] {
  const columns: number[] = [];
  for (let at = 0; at < widths.length; at += rows) columns.push(Math.max(...widths.slice(at, at + rows)));
  return columns;
}

/** Words in columns from top to bottom, as `ls` does, in lines of at most `columns` if possible. */
export function gridLines(words: readonly GridWord[], columns: number): string[] {
  const gap = 2;
  const widths = words.map(({ text }) => widthOf(text));
  const area = widths.reduce((sum, width) => sum + width + gap, 0);
  // The area gives a lower bound for the rows. The search goes on in small steps, since large directories need few.
  let rows = Math.max(1, Math.ceil(area / (columns + gap)));
  let columnWidths = gridWidths(widths, rows);
  while (rows < words.length && columnWidths.reduce((sum, width) => sum + width + gap, -gap) > columns) {
    rows = Math.min(words.length, Math.max(rows + 1, Math.floor(rows * 1.05)));
    columnWidths = gridWidths(widths, rows);
  }
  return Array.from({ length: Math.min(rows, words.length) }, (_, row) => {
    let line = '';
    for (let column = 0, at = row; at < words.length; column++, at += rows) {
      const isLast = at + rows >= words.length;
      const padding = isLast ? 0 : (columnWidths[column] ?? 0) - (widths[at] ?? 0) + gap;
      line += (words[at]?.shown ?? '') + ' '.repeat(padding);
    }
    return line;
  });
}
