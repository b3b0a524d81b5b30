/**
 * The lines of the trace, in libguestfs's notation: `mount "/dev/sda1" "/"` at the start of a call, `mount = 0` at
 * its end. Strings stand in quotes unchanged, and are escaped when the handle writes them to a log (events.ts). Bytes
 * are escaped and cut after 256. Secrets are `***`.
 */
import {
  type Action,
  type ActionName,
  type ArgumentType,
  actions,
  camelCase,
  type OptionType,
  type Result,
  type StructTable,
  structs,
} from '../../api/index.js';

const shownBytes = 256;

const quoted = (text: unknown): string => `"${text}"`;

/** The first bytes; bytes that are not printable ASCII become `\x0a`. */
function bytesText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes.subarray(0, shownBytes))
    text +=
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  const cut = bytes.length > shownBytes ? `<truncated, original size ${bytes.length} bytes>` : '';
  return `"${text}"${cut}`;
}

function argumentText(type: ArgumentType, value: unknown): string {
  if (value === null || value === undefined) return 'null';
  switch (type) {
    case 'key':
      return '"***"';
    case 'bufferIn':
      return bytesText(value as Uint8Array);
    case 'stringList':
    case 'deviceList':
    case 'pathnameList':
    case 'filenameList':
      return quoted((value as readonly string[]).join(' '));
    case 'bool':
    case 'int':
    case 'int64':
    case 'bits64':
      return String(value);
    case 'fileIn':
    case 'fileOut':
      return typeof value === 'string' ? quoted(value) : '<stream>';
    default:
      return quoted(value);
  }
}

function optionText(name: string, type: OptionType, value: unknown): string {
  // The only secret among optional arguments is a drive's `secret`.
  if (name === 'secret') return '"secret:***"';
  return quoted(`${name}:${type === 'stringList' ? (value as readonly string[]).join(' ') : value}`);
}

/** A call, with its checked arguments. */
export function traceCall(
  name: ActionName,
  args: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
): string {
  const action: Action = actions[name];
  const words: string[] = [name];
  for (const [index, argument] of action.args.entries()) words.push(argumentText(argument.type, args[index]));
  for (const [option, { type }] of Object.entries(action.options ?? {}))
    if (Object.hasOwn(options, option)) words.push(optionText(option, type, options[option]));
  return words.join(' ');
}

function fieldsText(struct: string, value: unknown): string {
  const table: StructTable = structs[struct as keyof typeof structs];
  const fields = value as Readonly<Record<string, unknown>>;
  return Object.entries(table)
    .map(([field, type]) => {
      const content = fields[camelCase(field)];
      return `${field}: ${type === 'buffer' ? bytesText(content as Uint8Array) : content}, `;
    })
    .join('');
}

const listText = (items: Iterable<unknown>): string => `[${[...items].map(quoted).join(', ')}]`;

function resultText(result: Result, value: unknown): string {
  switch (result.type) {
    case 'none':
      return '0';
    case 'bool':
      return value === true ? '1' : '0';
    case 'int':
    case 'int64':
    case 'bits64':
      return String(value);
    case 'string':
    case 'optString':
      return quoted(value ?? 'NULL');
    case 'stringList':
      return listText(value as readonly string[]);
    case 'hashtable':
      return listText([...(value as ReadonlyMap<string, string>)].flat());
    case 'buffer':
      return bytesText(value as Uint8Array);
    case 'struct':
      return `<struct guestfs_${result.struct} = ${fieldsText(result.struct, value)}>`;
    case 'structList': {
      const list = value as readonly unknown[];
      const items = list.map((item, index) => `[${index}]{${fieldsText(result.struct, item)}}`);
      return `<struct guestfs_${result.struct}_list(${list.length}) = ${items.join('')}>`;
    }
  }
}

/** What a call gave. */
export function traceResult(name: ActionName, value: unknown): string {
  return `${name} = ${resultText(actions[name].result, value)}`;
}

const countingResults: readonly Result['type'][] = ['none', 'bool', 'int', 'int64', 'bits64'];

/** A failed call: −1 if the C function returns a number, NULL if it returns a pointer. */
export function traceFailure(name: ActionName): string {
  return `${name} = ${countingResults.includes(actions[name].result.type) ? '-1' : 'NULL'} (error)`;
}
