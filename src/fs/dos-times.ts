/**
 * The dates and times of FAT and exFAT. fatgen103, "Date and Time Formats": days since 1980, in steps of two seconds,
 * in the writer's local time. Where no zone is stored, they are taken as UTC, as in a kernel whose zone is UTC.
 */
import type { Time } from './driver.js';

const secondsPerDay = 86_400;
/** From 1970 to 1980. */
const daysTo1980 = 3652;
/**
 * Days before each month. As in Linux, month 0 counts as 1, and months 13 to 15, which four bits can hold, count as
 * January.
 */
const daysBefore = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 0, 0, 0];

/**
 * A date, a time and hundredths of a second (0 to 199) as a time. Never fails: out-of-range fields overflow into the
 * next larger one. `offsetInSeconds` is added.
 */
export function decodeTime(date: number, time: number, hundredths: number, offsetInSeconds: number): Time {
  const year = date >> 9; // 0 is 1980; 127 is 2107
  const month = Math.max(1, (date >> 5) & 0x0f);
  const day = Math.max(1, date & 0x1f) - 1;
  let leapDays = (year + 3) >> 2;
  if (year > 120) leapDays--; // 2100 has no 29 February
  if (year % 4 === 0 && year !== 120 && month > 2) leapDays++;
  const days = daysTo1980 + year * 365 + leapDays + (daysBefore[month] ?? 0) + day;
  const ofDay = (time >> 11) * 3600 + ((time >> 5) & 0x3f) * 60 + (time & 0x1f) * 2;
  return {
    seconds: days * secondsPerDay + ofDay + offsetInSeconds + Math.floor(hundredths / 100),
    nanoseconds: (hundredths % 100) * 10_000_000,
  };
}

/** The date and time of 1 January 1980, and of the end of 2107: what lies outside is stored as these. */
const [firstSecond, lastSecond] = [315_532_800, 4_354_819_198];

/** A time as date, time and hundredths of a second. `offsetInSeconds` is what decoding adds. */
export function encodeTime(
  { seconds, nanoseconds }: Time,
  offsetInSeconds: number,
): { readonly date: number; readonly time: number; readonly hundredths: number } {
  const stored = Math.min(lastSecond, Math.max(firstSecond, seconds - offsetInSeconds));
  const isCut = stored !== seconds - offsetInSeconds;
  const at = new Date(stored * 1000);
  const date = (at.getUTCFullYear() - 1980) * 512 + (at.getUTCMonth() + 1) * 32 + at.getUTCDate();
  const time = at.getUTCHours() * 2048 + at.getUTCMinutes() * 32 + Math.floor(at.getUTCSeconds() / 2);
  const hundredths = isCut ? 0 : (stored % 2) * 100 + Math.floor(nanoseconds / 10_000_000);
  return { date, time, hundredths };
}
