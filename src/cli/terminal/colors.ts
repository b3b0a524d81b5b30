/** Colours for terminals. */
import type { Output } from './output.js';

export type ColorChoice = 'auto' | 'always' | 'never';

/**
 * Whether to colour the text that goes to `output`. `NO_COLOR` (no-color.org) and a dumb terminal turn `auto` off.
 */
export function wantsColor(output: Output, choice: ColorChoice, environment = process.env): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (environment.NO_COLOR !== undefined && environment.NO_COLOR !== '') return false;
  return environment.TERM !== 'dumb' && output.isTerminal;
}

/** Graphic renditions of ECMA-48. */
const codes = {
  bold: '1',
  dim: '2',
  red: '31',
  green: '32',
  yellow: '33',
  blue: '1;34',
  magenta: '35',
  cyan: '36',
};
type Color = keyof typeof codes;

/** Paints text, or leaves it as it is. */
export type Paint = (color: Color, text: string) => string;

export const painter =
  (on: boolean): Paint =>
  (color, text) =>
    on && text !== '' ? `\x1b[${codes[color]}m${text}\x1b[0m` : text;
