/**
 * Writes LVM's configuration language, as lvm2 does in metadata areas: without indentation and comments, and in the
 * order of the section. By lvm2's lib/format_text/export.c.
 */
import { UnsupportedError } from '../../../base/index.js';
import type { ConfigSection, ConfigValue } from '../config.js';

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, (special) => `\\${special}`)}"`;

/** UnsupportedError for a number that was not read exactly, and so cannot stay as it was. */
function scalar(value: string | number): string {
  if (typeof value === 'string') return quoted(value);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER)
    throw new UnsupportedError('LVM metadata', [`the number ${value}`], { elsewhere: 'appliance' });
  return String(value);
}

/** `stripes` has a line for each pair of a name and an extent, other lists are in one line. */
function list(name: string, items: readonly (string | number)[]): string {
  if (items.length === 0 || name !== 'stripes') return `[${items.map(scalar).join(', ')}]`;
  const pairs = Array.from({ length: Math.ceil(items.length / 2) }, (_, index) =>
    items
      .slice(index * 2, index * 2 + 2)
      .map(scalar)
      .join(', '),
  );
  return `[\n${pairs.join(',\n')}\n]`;
}

function* lines(section: ConfigSection): Generator<string> {
  for (const [name, value] of section) {
    if (isSection(value)) {
      yield '';
      yield `${name} {`;
      yield* lines(value);
      yield '}';
    } else {
      // As lvm2 has it, for those who read it.
      if (name === 'type' || name === 'stripes') yield '';
      yield `${name} = ${isList(value) ? list(name, value) : scalar(value)}`;
    }
  }
}

const isList = (value: ConfigValue): value is readonly (string | number)[] => Array.isArray(value);

export function isSection(value: ConfigValue | undefined): value is ConfigSection {
  return value instanceof Map;
}

/** The text of a section and all in it, ending in a line feed. */
export function encodeConfig(section: ConfigSection): string {
  return `${[...lines(section)].join('\n')}\n`;
}
