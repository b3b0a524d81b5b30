/**
 * ISO 9660's two forms of dates. ECMA-119, 9.1.5 (7 bytes, binary) and 8.4.26.1 (17 bytes, digits). Both are local time,
 * with the offset of the zone from UTC in quarters of an hour.
 */
import { decodeLatin1 } from '../../base/index.js';
import type { Time } from '../driver.js';

/** No zone is more than 13 hours from UTC. As in Linux, other values in the dates of files are ignored. */
const maxZone = 52;
const secondsPerQuarter = 900;

function zoneSeconds(quarters: number): number {
  return Math.abs(quarters) <= maxZone ? quarters * secondsPerQuarter : 0;
}

/**
 * The 7-byte form at `at`. All zeroes mean "not given" and give 1970. Never fails; the caller has checked the length.
 */
export function decodeShortDate(raw: Uint8Array, at = 0): Time {
  const byte = (index: number) => raw[at + index] ?? 0;
  const month = byte(1);
  if (month === 0 && byte(2) === 0) return { seconds: 0, nanoseconds: 0 };
  const local = Date.UTC(1900 + byte(0), month - 1, byte(2), byte(3), byte(4), byte(5)) / 1000;
  const zone = (byte(6) << 24) >> 24; // signed
  return { seconds: local - zoneSeconds(zone), nanoseconds: 0 };
}

/**
 * The 17-byte form at `at`; undefined for "not given" (all digits zero) and for other characters. `zoneOf` turns the
 * zone's quarters of an hour into seconds.
 */
export function decodeLongDate(
  raw: Uint8Array,
  at = 0,
  zoneOf: (quarters: number) => number = zoneSeconds,
): Time | undefined {
  const digits = decodeLatin1(raw.subarray(at, at + 16));
  if (!/^\d{16}$/.test(digits) || /^0+$/.test(digits)) return undefined;
  const part = (from: number, to: number) => Number(digits.slice(from, to));
  const date = new Date(0);
  date.setUTCFullYear(part(0, 4), part(4, 6) - 1, part(6, 8));
  date.setUTCHours(part(8, 10), part(10, 12), part(12, 14));
  const zone = ((raw[at + 16] ?? 0) << 24) >> 24; // signed
  return {
    seconds: date.getTime() / 1000 - zoneOf(zone),
    nanoseconds: part(14, 16) * 10_000_000,
  };
}
