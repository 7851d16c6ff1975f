import type { Answer } from './exchange-api.ts';

export type Refused = Extract<Answer<never>, { ok: false }>;

const refused =
  (status: number, code: number) =>
  (message: string, extra: Readonly<Record<string, unknown>> = {}): Refused => ({
    ok: false,
    status,
    code,
    message,
    extra,
  });

/** The request's shape is wrong. Alpaca answers 422 although the code begins with 400. */
export const badShape = refused(422, 40_010_001);
/** Well formed, and cannot be done. */
export const unprocessable = refused(422, 42_210_000);
/** The account or its risk rules forbid it. */
export const forbidden = refused(403, 40_310_000);
export const notFound = refused(404, 40_410_000);

export const ok = <T>(value: T): Answer<T> => ({ ok: true, value });

export const isRefused = (value: unknown): value is Refused =>
  typeof value === 'object' && value !== null && 'ok' in value && value.ok === false;
