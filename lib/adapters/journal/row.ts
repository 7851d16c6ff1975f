/** A record as it is stored: day, instant in microseconds, kind, symbol, body as JSON. */
export type Row = readonly [day: string, at: number, kind: string, symbol: string | null, body: string];
export type StoredRow = readonly [id: number, ...row: Row];
/** A record on its way, with the number it was appended under: rising, and never used twice in a file. */
export type NumberedRow = readonly [number: number, ...row: Row];

/**
 * What a reader selects: text as bytes, because the driver ends the process over text that is not UTF-8, and numbers as
 * numbers, for a damaged file may hold anything in their place.
 */
export const COLUMNS = `
  id, CAST(day AS BLOB), CAST(at AS INTEGER), CAST(kind AS BLOB), CAST(symbol AS BLOB), CAST(body AS BLOB),
  CAST(v AS INTEGER), CAST(hash AS BLOB)`;
export type RawRow = readonly [
  id: number,
  day: Uint8Array,
  at: number,
  kind: Uint8Array,
  symbol: Uint8Array | null,
  body: Uint8Array,
  v: number,
  hash: Uint8Array,
];

/** A damaged file may lack what it must have. */
export const textOf = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString('utf8');

export const rowOf = ([id, day, at, kind, symbol, body]: RawRow): StoredRow => [
  id,
  textOf(day),
  at,
  textOf(kind),
  symbol === null ? null : textOf(symbol),
  textOf(body),
];
