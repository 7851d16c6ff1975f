import { KEY, SECRET } from './corpus.ts';

/** A rule that was broken, and by which case of which part: enough to run that case alone. */
export type Finding = {
  readonly part: string;
  readonly number: number;
  readonly rule: string;
  readonly text: string;
};
export type Report = (rule: string, text: string) => void;

export const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

const PIECE = 12;
const PIECES = [KEY, SECRET].flatMap((secret) =>
  Array.from({ length: secret.length - PIECE + 1 }, (_, at) => secret.slice(at, at + PIECE)),
);

const hasPiece = (text: string): boolean => PIECES.some((piece) => text.includes(piece));

/**
 * Whether a text shows a secret of the message it is about. A cut-off secret is one still: no twelve characters of it in a
 * row may be shown. But where the message holds such pieces itself, spoiled by a mutation, nobody can know them for one.
 */
export function showsSecret(text: string, message: string): boolean {
  if (!hasPiece(text)) return false;
  if (text.includes(KEY) || text.includes(SECRET)) return true;
  return !hasPiece(message.replaceAll(KEY, '').replaceAll(SECRET, ''));
}

const OWN_NAMES = Object.getOwnPropertyNames(Object.prototype).length;

/** Whether a key called `__proto__` has come through to what every object inherits. */
export const isPolluted = (): boolean => Object.getOwnPropertyNames(Object.prototype).length !== OWN_NAMES;
