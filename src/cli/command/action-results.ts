/** What an action gave, as text and as JSON. */
import { type ActionName, actions, camelCase, type StructTable, structs } from '../../api/index.js';
import type { Output } from '../terminal/output.js';

function fieldText(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return value === null || value === undefined ? '' : String(value);
}

/** `name: value`, one a line, in the order of the struct, by libguestfs's names. */
function structLines(struct: string, value: unknown, indent: string, out: Output): string[] {
  const table: StructTable = structs[struct as keyof typeof structs]; // safe: a result names a struct of the table
  const fields = value as Readonly<Record<string, unknown>>;
  return Object.keys(table).map(
    (field) => `${indent}${field}: ${out.name(fieldText(fields[camelCase(field)]))}`,
  );
}

/** A number as the table wants it shown. */
function numberText(name: ActionName, value: unknown): string {
  const { shellOutput } = actions[name] as { shellOutput?: 'octal' | 'hexadecimal' };
  const number = BigInt(value as number | bigint);
  if (shellOutput === 'hexadecimal') return `0x${number.toString(16)}`;
  if (shellOutput === 'octal') return `0${number.toString(8)}`;
  return String(number);
}

/** Prints the result for people, and line by line for scripts. Bytes are printed unchanged. */
export async function printResult(name: ActionName, value: unknown, out: Output): Promise<void> {
  const { result } = actions[name];
  switch (result.type) {
    case 'none':
      return;
    case 'bool':
      return await out.write(`${value}\n`);
    case 'int':
    case 'int64':
    case 'bits64':
      return await out.write(`${numberText(name, value)}\n`);
    case 'string':
    case 'optString': {
      // A text of several lines, such as a file's, stays as it is.
      const text = value === null ? '' : String(value);
      return await out.write(text.endsWith('\n') ? text : `${text}\n`);
    }
    case 'stringList':
      return await out.lines((value as readonly string[]).map((each) => out.name(each)));
    case 'hashtable':
      return await out.lines(
        [...(value as ReadonlyMap<string, string>)].map(
          ([key, each]) => `${out.name(key)}: ${out.name(each)}`,
        ),
      );
    case 'buffer':
      return await out.write(value as Uint8Array);
    case 'struct':
      return await out.lines(structLines(result.struct, value, '', out));
    case 'structList': {
      const list = value as readonly unknown[];
      const lines = list.flatMap((each, index) => [
        `[${index}]`,
        ...structLines(result.struct, each, '  ', out),
      ]);
      return await out.lines(lines);
    }
  }
}

/** The result as JSON can hold it: bytes as base64, masks of 64 bits as text, tables as objects. */
export function resultJson(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Map) return Object.assign(Object.create(null), Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(resultJson);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([field, member]) => [field, resultJson(member)]));
  return value;
}
