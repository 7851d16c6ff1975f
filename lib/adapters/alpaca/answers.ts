import type { OrderIntent } from '../../domain/intent.ts';
import { reportOf } from '../../domain/reconcile.ts';
import type { Micros } from '../../domain/time.ts';
import { after, micros, seconds } from '../../domain/time.ts';
import type {
  BrokerFailure,
  BrokerOrder,
  CancelOutcome,
  FailureCode,
  Lookup,
  Read,
  SubmitOutcome,
} from '../../ports/broker.ts';
import { type Decoded, formatDecodeError, parseJson } from './codec-decode-base.ts';
import { decodeErrorBody, decodeRefusal, type ErrorBody, isDuplicateId } from './codec-decode-errors.ts';
import { decodeOrder } from './codec-decode-orders.ts';
import type { HttpAnswer } from './http-answer.ts';
import type { Redact } from './redact.ts';

/**
 * What an HTTP answer proves. Only a readable refusal is a refusal; a deadline, a broken connection, a 5xx and a body
 * that does not decode leave the outcome of a request open.
 */
export type AnswerContext = { readonly now: Micros; readonly redact: Redact };

type Answered = Extract<HttpAnswer, { kind: 'answered' }>;

const isSuccess = (answer: Answered): boolean => answer.status >= 200 && answer.status < 300;

/** The failure that an answer amounts to on a read; a success is `unreadable` here, for `text` says why. */
export function failureOf(answer: HttpAnswer, context: AnswerContext, text?: string): BrokerFailure {
  if (answer.kind !== 'answered')
    return {
      code: answer.kind,
      text: context.redact(text ?? answer.text),
      httpStatus: null,
      requestId: null,
      retryAt: null,
    };
  const said = text ?? decodeErrorBody(answer.body)?.message ?? answer.body;
  const shown = context.redact(said);
  const code = failureCode(answer.status);
  return {
    code,
    text: `HTTP ${answer.status}: ${shown === '' ? 'no text' : shown}`,
    httpStatus: answer.status,
    requestId: requestIdOf(answer, context),
    retryAt: code === 'rateLimited' ? retryAt(answer, context.now) : null,
  };
}

/** For the broker's support. It is text of the outside like any other. */
function requestIdOf({ headers }: Answered, { redact }: AnswerContext): string | null {
  const id = headers['x-request-id'];
  return id === undefined ? null : redact(id);
}

function failureCode(status: number): FailureCode {
  if (status === 429) return 'rateLimited';
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 408) return 'timeout';
  if (status >= 500) return 'serverError';
  return status >= 400 ? 'refused' : 'unreadable';
}

/** A reset further away than this is not on our clock, so it says nothing. */
const RETRY_WAIT_MAX = seconds(600);

/** `X-RateLimit-Reset` is in Unix seconds; `Retry-After`, undocumented at Alpaca, in seconds from now. */
function retryAt(answer: Answered, now: Micros): Micros | null {
  const reset = Number(answer.headers['x-ratelimit-reset'] ?? Number.NaN);
  const wait = Number(answer.headers['retry-after'] ?? Number.NaN);
  const candidates = [
    Number.isFinite(reset) ? micros(Math.round(reset * 1_000_000)) : null,
    Number.isFinite(wait) ? after(now, seconds(wait)) : null,
  ];
  return candidates.find((at) => at !== null && Math.abs(at - now) <= RETRY_WAIT_MAX) ?? null;
}

export function readAs<T>(
  answer: HttpAnswer,
  context: AnswerContext,
  decode: (body: unknown) => Decoded<T>,
): Read<T> {
  if (answer.kind !== 'answered' || !isSuccess(answer))
    return { kind: 'failed', failure: failureOf(answer, context) };
  const decoded = decode(parseJson(answer.body));
  return decoded.ok
    ? { kind: 'ok', value: decoded.value }
    : { kind: 'failed', failure: unreadable(answer, context, formatDecodeError(decoded.error)) };
}

const unreadable = (answer: Answered, context: AnswerContext, text: string): BrokerFailure => ({
  ...failureOf(answer, context, text),
  code: 'unreadable',
});

/** Statuses below 500 that still do not prove that the order was refused. */
const NO_PROOF: ReadonlySet<number> = new Set([408, 409, 425, 499]);

/** An order as the answer to a question about one: it has to be that one. */
type Expected = (order: BrokerOrder) => boolean;

const OTHER_ORDER = 'the answer is about the order that was asked for; it is about another';

/** What a broker that took this intent shows. */
const isOf =
  ({ clientOrderId, symbol, side, qty }: OrderIntent): Expected =>
  (order) =>
    order.clientOrderId === clientOrderId &&
    order.symbol === symbol &&
    order.side === side &&
    order.qty === qty &&
    order.cumQty <= qty;

export function submitOutcome(
  answer: HttpAnswer,
  context: AnswerContext,
  intent: OrderIntent,
): SubmitOutcome {
  if (answer.kind !== 'answered') return { kind: 'unknown', failure: failureOf(answer, context) };
  if (isSuccess(answer)) {
    const read = readOrderAs(answer, context, isOf(intent));
    return read.kind === 'ok'
      ? { kind: 'accepted', report: reportOf(read.value, context.now) }
      : { kind: 'unknown', failure: read.failure };
  }
  const failure = failureOf(answer, context);
  if (answer.status === 429) return { kind: 'notSent', failure };
  const body = provenRefusal(answer);
  if (body === null)
    return { kind: 'unknown', failure: answer.status < 500 ? { ...failure, code: 'unreadable' } : failure };
  // An order by this id exists: look it up.
  if (isDuplicateId(body.message)) return { kind: 'unknown', failure: { ...failure, code: 'refused' } };
  return { kind: 'rejected', refusal: decodeRefusal(answer.status, body, context.redact(body.message)) };
}

/** The envelope of a 4xx answer that can be read; a page of a proxy in between says nothing about the order. */
function provenRefusal(answer: Answered): ErrorBody | null {
  if (answer.status < 400 || answer.status >= 500 || NO_PROOF.has(answer.status)) return null;
  return decodeErrorBody(answer.body);
}

const NOT_FOUND_CODE = 40_410_000;

/** Absent only where the broker says so in its own words: a wrong path is answered 404 as well. */
function saysNotFound(answer: Answered): boolean {
  const body = answer.status === 404 ? decodeErrorBody(answer.body) : null;
  return body !== null && (body.code === NOT_FOUND_CODE || /order not found/i.test(body.message));
}

export function cancelOutcome(answer: HttpAnswer, context: AnswerContext): CancelOutcome {
  const failure = failureOf(answer, context);
  if (answer.kind !== 'answered') return { kind: 'unknown', failure };
  if (isSuccess(answer)) return { kind: 'requested' };
  if (saysNotFound(answer)) return { kind: 'absent' };
  const body = provenRefusal(answer);
  const undecided = answer.status === 429 || answer.status === 401 || answer.status === 404;
  if (body === null || undecided) return { kind: 'unknown', failure };
  return { kind: 'refused', text: context.redact(body.message) };
}

function readOrderAs(answer: HttpAnswer, context: AnswerContext, isExpected: Expected): Read<BrokerOrder> {
  const read = readAs(answer, context, decodeOrder);
  return answer.kind === 'answered' && read.kind === 'ok' && !isExpected(read.value)
    ? { kind: 'failed', failure: unreadable(answer, context, OTHER_ORDER) }
    : read;
}

export function lookupOf(answer: HttpAnswer, context: AnswerContext, isExpected: Expected): Lookup {
  if (answer.kind === 'answered' && saysNotFound(answer)) return { kind: 'absent' };
  const read = readOrderAs(answer, context, isExpected);
  return read.kind === 'ok' ? { kind: 'found', order: read.value } : read;
}
