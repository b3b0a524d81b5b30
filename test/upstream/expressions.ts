/** The C expressions that say what a case's last call must give, evaluated over our results. */
import { camelCase } from '../../src/api/index.js';
import { sameDevice } from './values.js';

/** `is_string_list(ret, n, …)`: exactly these strings. In C a table is a list too, of keys and values in turn. */
function isStringList(result: unknown, count: number, ...expected: string[]): boolean {
  const list = result instanceof Map ? [...result].flat() : result;
  return (
    Array.isArray(list) && list.length === count && expected.every((text, index) => list[index] === text)
  );
}

function isDeviceList(list: unknown, count: number, ...expected: string[]): boolean {
  return (
    Array.isArray(list) &&
    list.length === count &&
    expected.every((name, index) => sameDevice(list[index], name))
  );
}

function compareBuffers(
  first: Uint8Array | null,
  size: number,
  second: string | null,
  length: number,
): number {
  const expected = Buffer.from(second ?? '', 'latin1').subarray(0, length);
  return Buffer.compare(Buffer.from(first ?? []).subarray(0, size), expected);
}

const isType = (type: number) => (mode: number) => (mode & 0o170000) === type;

const helpers = {
  is_string_list: isStringList,
  is_device_list: isDeviceList,
  compare_buffers: compareBuffers,
  compare_devices: (first: unknown, second: string) => (sameDevice(first, second) ? 0 : 1),
  check_hash: (table: Map<string, string>, key: string, value: string) => (table.get(key) === value ? 0 : 1),
  get_key: (table: Map<string, string>, key: string) => table.get(key) ?? null,
  match_re: (text: string, expression: string) => new RegExp(expression).test(text),
  STREQ: (first: unknown, second: unknown) => first === second,
  INT64_C: (value: number) => value,
  S_ISDIR: isType(0o040000),
  S_ISREG: isType(0o100000),
  S_ISBLK: isType(0o060000),
  S_ISCHR: isType(0o020000),
  S_ISFIFO: isType(0o010000),
  S_ISLNK: isType(0o120000),
  S_ISSOCK: isType(0o140000),
};

/** A C expression in JavaScript: members, NULL, octal numbers, integer division. Strings stay as they are. */
function translate(expression: string): string {
  const strings = /"(?:[^"\\]|\\.)*"/g;
  const code = (text: string): string =>
    text
      .replace(/ret->(\w+)/g, (_, field: string) => `ret.${camelCase(field)}`)
      .replace(/\bNULL\b/g, 'null')
      .replace(/(?<![\w.])0([0-7]+)\b/g, '0o$1')
      .replace(/==/g, '===');
  let out = '';
  let at = 0;
  for (const match of expression.matchAll(strings)) {
    out += code(expression.slice(at, match.index)) + match[0];
    at = match.index + match[0].length;
  }
  return out + code(expression.slice(at));
}

/** Whether the expression is true of a result. `size` is the length of a result that is bytes. */
export function holds(expression: string, result: unknown): boolean {
  const size = result instanceof Uint8Array ? result.length : 0;
  const names = Object.keys(helpers);
  const evaluate = new Function('ret', 'size', ...names, `return ${translate(expression)};`);
  return Boolean(evaluate(result, size, ...Object.values(helpers)));
}
