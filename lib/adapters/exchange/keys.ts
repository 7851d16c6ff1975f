import { timingSafeEqual } from 'node:crypto';
import type { Credentials } from '../alpaca/codec-serve-sockets.ts';

/** Who may come in: anybody with a key and a secret that are not empty, or exactly one pair. */
export type KeyCheck = (credentials: Credentials | null) => boolean;

export function keyCheck(pair: Credentials | null): KeyCheck {
  if (pair === null)
    return (found) => found !== null && found.key.trim() !== '' && found.secret.trim() !== '';
  return (found) => found !== null && same(found.key, pair.key) && same(found.secret, pair.secret);
}

function same(found: string, expected: string): boolean {
  const [a, b] = [Buffer.from(found), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
