import { hash } from 'node:crypto';
import type { Row } from './row.ts';

/** What the first record is chained to. */
export const GENESIS = '0'.repeat(64);

/**
 * The hash of a record: SHA-256 over the hash before it and everything that is stored of the record, its place included.
 * The first two lines hold no line break of their own, so that no two records give the same text.
 */
export function hashRecord(previous: string, id: number, version: number, row: Row): string {
  const [day, at, kind, symbol, body] = row;
  return hash('sha256', `${previous}\n${JSON.stringify([version, id, day, at, kind, symbol])}\n${body}`);
}
