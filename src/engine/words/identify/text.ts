/** Text in the words of the program file: its kind by its first line, its encoding, its lines. */
import type { Subject } from './source.js';

/** How much of a file determines the encoding, in bytes. */
const encodingLength = 64 * 1024;
/** A line this long is worth a word. */
const longLine = 300;

/**
 * Bytes that no text has: control characters except bell, backspace, tabs, line feed, form feed, return and escape.
 */
const isControl = (byte: number): boolean =>
  (byte < 0x20 && !(byte >= 0x07 && byte <= 0x0d) && byte !== 0x1b) || byte === 0x7f;

interface Encoding {
  readonly name: string;
  /** The text, for looking at its lines. */
  readonly text: string;
}

function isUtf8(bytes: Uint8Array, isWhole: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: !isWhole });
    return true;
  } catch {
    // No error: the bytes are in another encoding.
    return false;
  }
}

/** The encoding of a text; undefined for data. */
function findEncoding(subject: Subject): Encoding | undefined {
  const bytes = subject.head.subarray(0, encodingLength);
  const latin1 = (): string => Buffer.from(bytes).toString('latin1');
  if (subject.has(0, [0xff, 0xfe]) || subject.has(0, [0xfe, 0xff])) {
    const little = subject.u8(0) === 0xff;
    if (subject.has(0, [0xff, 0xfe, 0, 0])) return undefined;
    const text = new TextDecoder(little ? 'utf-16le' : 'utf-16be').decode(bytes.subarray(2));
    if (text.includes('\0') || text.includes('\ufffe')) return undefined;
    return { name: `Unicode text, UTF-16, ${little ? 'little' : 'big'}-endian text`, text };
  }
  if (bytes.some(isControl)) return undefined;
  if (!bytes.some((byte) => byte >= 0x80)) return { name: 'ASCII text', text: latin1() };
  if (isUtf8(bytes, subject.head.length <= encodingLength)) {
    const marked = subject.has(0, [0xef, 0xbb, 0xbf]);
    return {
      name: `Unicode text, UTF-8${marked ? ' (with BOM)' : ''} text`,
      text: Buffer.from(bytes).toString('utf8'),
    };
  }
  const isIso = !bytes.some((byte) => byte >= 0x80 && byte < 0xa0 && byte !== 0x85);
  return { name: isIso ? 'ISO-8859 text' : 'Non-ISO extended-ASCII text', text: latin1() };
}

/** The line ends, the line lengths, and other oddities. */
function lineFacts(text: string): string {
  let facts = '';
  let longest = 0;
  for (const line of text.split(/\r\n|[\n\r\x85]/)) longest = Math.max(longest, line.length);
  if (longest > longLine) facts += `, with very long lines (${longest})`;
  const crlf = text.includes('\r\n');
  const cr = /\r(?!\n)/.test(text);
  const lf = /(?<!\r)\n/.test(text);
  const nel = text.includes('\x85');
  const endings = [
    ...(crlf ? ['CRLF'] : []),
    ...(cr ? ['CR'] : []),
    ...(lf ? ['LF'] : []),
    ...(nel ? ['NEL'] : []),
  ];
  if (endings.length === 0) facts += ', with no line terminators';
  else if (endings.length > 1 || !lf) facts += `, with ${endings.join(', ')} line terminators`;
  if (text.includes('\x1b')) facts += ', with escape sequences';
  if (text.includes('\b')) facts += ', with overstriking';
  return facts;
}

/** Interpreters by the program's name, as in `#!/usr/bin/env python3`. */
const interpreters: readonly (readonly [RegExp, string])[] = [
  [/^(?:sh|dash)$/, 'POSIX shell script'],
  [/^bash$/, 'Bourne-Again shell script'],
  [/^ksh$/, 'Korn shell script'],
  [/^zsh$/, "Paul Falstad's zsh script"],
  [/^csh$/, 'C shell script'],
  [/^tcsh$/, 'Tenex C shell script'],
  [/^python(?:[0-9.]*)$/, 'Python script'],
  [/^ruby(?:[0-9.]*)$/, 'Ruby script'],
  [/^php(?:[0-9.]*)$/, 'PHP script'],
  [/^(?:tclsh|wish)(?:[0-9.]*)$/, 'Tcl/Tk script'],
  [/^lua(?:[0-9.]*)$/, 'Lua script'],
  [/^(?:awk|gawk|mawk|nawk)$/, 'awk script'],
];

function script(text: string): string | undefined {
  const match = /^#!\s*(\S+)(?:[ \t]+(.*))?/.exec(text);
  if (match === null) return undefined;
  const [, path = '', rest = ''] = match;
  const words = rest.split(/\s+/).filter((word) => word !== '' && !word.startsWith('-'));
  const name = path.split('/').at(-1) === 'env' ? (words[0] ?? '') : (path.split('/').at(-1) ?? '');
  const known = interpreters.find(([pattern]) => pattern.test(name))?.[1];
  return known ?? `a ${`${path} ${rest}`.trim()} script`;
}

/** Kinds of text by how they begin. */
const beginnings: readonly (readonly [RegExp, string])[] = [
  [/^-----BEGIN CERTIFICATE-----/, 'PEM certificate'],
  [/^-----BEGIN CERTIFICATE REQ/, 'PEM certificate request'],
  [/^-----BEGIN RSA PRIVATE KEY-----/, 'PEM RSA private key'],
  [/^-----BEGIN DSA PRIVATE KEY-----/, 'PEM DSA private key'],
  [/^-----BEGIN EC PRIVATE KEY-----/, 'PEM EC private key'],
  [/^-----BEGIN OPENSSH PRIVATE KEY-----/, 'OpenSSH private key'],
  [/^ssh-rsa /, 'OpenSSH RSA public key'],
  [/^ssh-ed25519 /, 'OpenSSH ED25519 public key'],
];

/** Kinds that stand before the encoding: `XML 1.0 document, ASCII text`. */
const kinds: readonly (readonly [RegExp, string])[] = [
  [/^\s*<\?xml version=["']1\.0["']/, 'XML 1.0 document'],
  [/^\s*<\?xml version=["']1\.1["']/, 'XML 1.1 document'],
  [/^\s*<(?:!doctype html|html|head)\b/i, 'HTML document'],
  [/^\s*\.(?:\\"|TH |SH |Dd |Dt |so |ig|de|nr |if |\s*\\")|^'\\"/, 'troff or preprocessor input'],
  [/^%!PS/, 'PostScript document'],
  [/^package[ \t]+[0-9A-Za-z_:]+\s*;/m, 'Perl5 module source'],
  [/^#include[ \t]*[<"]/m, 'C source'],
];

const matchedLength = 8192;

/** Text in words; undefined for what is no text. */
export function describeText(subject: Subject): string | undefined {
  const encoding = findEncoding(subject);
  if (encoding === undefined) return undefined;
  const { name, text } = encoding;
  const start = text.slice(0, matchedLength);
  if (/^#!.*\bperl\b/.test(start)) return 'Perl script text executable';
  if (/^#!.*\bnode\b/.test(start)) return `Node.js script executable, ${name}${lineFacts(text)}`;
  const whole = beginnings.find(([pattern]) => pattern.test(start))?.[1];
  if (whole !== undefined) return whole;
  const interpreter = script(start);
  if (interpreter !== undefined) return `${interpreter}, ${name} executable${lineFacts(text)}`;
  if (
    /^\s*<\?xml[^>]*>\s*(?:<!--.{0,2000}?-->\s*)*(?:<!DOCTYPE svg|<svg)/s.test(start) ||
    /^<svg\b/.test(start)
  )
    return 'SVG Scalable Vector Graphics image';
  const kind = kinds.find(([pattern]) => pattern.test(start))?.[1];
  return `${kind === undefined ? '' : `${kind}, `}${name}${lineFacts(text)}`;
}

/** Whether the whole is one JSON object or array. */
export function isJson(subject: Subject): boolean {
  const isWhole = subject.whole === undefined || subject.whole.size === subject.head.length;
  if (!isWhole || !/^[\s]*[[{]/.test(subject.text(0, 256))) return false;
  try {
    const value: unknown = JSON.parse(Buffer.from(subject.head).toString('utf8'));
    return typeof value === 'object' && value !== null;
  } catch {
    // No error: the bytes are something else.
    return false;
  }
}
