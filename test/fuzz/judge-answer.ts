import type { ExecutionReport } from '../../lib/domain/execution.ts';
import type {
  BrokerFailure,
  BrokerOrder,
  CancelOutcome,
  Lookup,
  Read,
  SubmitOutcome,
} from '../../lib/ports/broker.ts';
import { type Report, showsSecret } from './finding.ts';
import type { Asked } from './real-answers.ts';
import { wrongInReport } from './well-formed.ts';

/** What was put on the wire; `status` is `null` where the head was spoiled and may say anything. */
export type Sent = { readonly status: number | null; readonly body: Buffer; readonly whole: Buffer };

/** An outcome is one of the port's, says no more than its answer proves, and shows no secret. */
export function judgeAnswer(asked: Asked, sent: Sent, outcome: unknown, report: Report): void {
  const failure = failureIn(outcome);
  if (failure !== null) judgeFailure(failure, sent, report);
  switch (asked.kind) {
    case 'submit':
      judgeSubmit(asked, sent, outcome as SubmitOutcome, report);
      break;
    case 'cancel':
      judgeCancel(sent, outcome as CancelOutcome, report);
      break;
    case 'lookup':
      judgeLookup(asked, sent, outcome as Lookup, report);
      break;
    default:
      judgeRead(asked, sent, outcome as Read<unknown>, report);
  }
}

const isSuccess = ({ status }: Sent): boolean => status === null || (status >= 200 && status < 300);

/** A refusal is proven by a 4xx that can be read; these four leave it open whether the order was taken. */
const provesRefusal = ({ status, body }: Sent): boolean =>
  status === null ||
  (status >= 400 && status < 500 && ![408, 409, 425, 429, 499].includes(status) && isObject(body));

function isObject(body: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const CODES: readonly string[] = [
  'timeout',
  'connection',
  'serverError',
  'rateLimited',
  'unauthorized',
  'unreadable',
  'refused',
];

function failureIn(outcome: unknown): BrokerFailure | null {
  const failure = (outcome as { readonly failure?: BrokerFailure } | null)?.failure;
  return failure ?? null;
}

function judgeFailure(failure: BrokerFailure, sent: Sent, report: Report): void {
  if (!CODES.includes(failure.code)) report('noFailureCode', failure.code);
  if (failure.text === '' || failure.text.length > 400 || /[\n\r]/.test(failure.text))
    report('noLine', `a failure says one short line: ${failure.text.length} characters`);
  judgeText(`${failure.text} ${failure.requestId}`, sent, report);
}

function judgeText(text: string, { whole }: Sent, report: Report): void {
  if (showsSecret(text, whole.toString('latin1'))) report('secretShown', text);
}

function judgeSubmit({ order }: Asked, sent: Sent, outcome: SubmitOutcome, report: Report): void {
  switch (outcome.kind) {
    case 'accepted':
      if (!isSuccess(sent)) report('notProven', `accepted by HTTP ${sent.status}`);
      if (order !== null) judgeReport(outcome.report, order, report);
      return;
    case 'rejected':
      if (!provesRefusal(sent)) report('notProven', `rejected by HTTP ${sent.status}`);
      judgeText(outcome.refusal.text, sent, report);
      return;
    case 'notSent':
      if (sent.status !== null && sent.status !== 429) report('notProven', `not sent by HTTP ${sent.status}`);
      return;
    case 'unknown':
      return;
    default:
      report('noOutcome', JSON.stringify(outcome));
  }
}

/** An accepted order is the one that was sent. */
function judgeReport(told: ExecutionReport, order: BrokerOrder, report: Report): void {
  const wrong = wrongInReport(told);
  if (wrong !== null) report('illFormedReport', wrong);
  if (told.clientOrderId !== order.clientOrderId || told.symbol !== order.symbol || told.side !== order.side)
    report('anotherOrder', `${told.clientOrderId} ${told.symbol} ${told.side} for ${order.clientOrderId}`);
  if (told.cumQty > told.orderQty) report('overfilled', `${told.cumQty} of ${told.orderQty}`);
}

function judgeCancel(sent: Sent, outcome: CancelOutcome, report: Report): void {
  switch (outcome.kind) {
    case 'requested':
      if (!isSuccess(sent)) report('notProven', `cancel requested by HTTP ${sent.status}`);
      return;
    case 'refused':
      if (!provesRefusal(sent)) report('notProven', `cancel refused by HTTP ${sent.status}`);
      judgeText(outcome.text, sent, report);
      return;
    case 'absent':
      if (sent.status !== null && sent.status !== 404) report('notProven', `absent by HTTP ${sent.status}`);
      return;
    case 'unknown':
      return;
    default:
      report('noOutcome', JSON.stringify(outcome));
  }
}

function judgeLookup({ name, order }: Asked, sent: Sent, outcome: Lookup, report: Report): void {
  switch (outcome.kind) {
    case 'found': {
      if (!isSuccess(sent)) report('notProven', `found by HTTP ${sent.status}`);
      const isAsked =
        name === 'orderById'
          ? outcome.order.brokerOrderId === order?.brokerOrderId
          : outcome.order.clientOrderId === order?.clientOrderId;
      if (!isAsked)
        report('anotherOrder', `${name}: ${outcome.order.brokerOrderId} ${outcome.order.clientOrderId}`);
      return;
    }
    case 'absent':
      if (sent.status !== null && sent.status !== 404) report('notProven', `absent by HTTP ${sent.status}`);
      return;
    case 'failed':
      return;
    default:
      report('noOutcome', JSON.stringify(outcome));
  }
}

function judgeRead({ name }: Asked, sent: Sent, outcome: Read<unknown>, report: Report): void {
  // An asset that the broker does not know is an answer, not a failure.
  const isAbsentAsset = name === 'assets' && sent.status === 404;
  if (outcome.kind === 'ok') {
    if (!isSuccess(sent) && !isAbsentAsset) report('notProven', `${name} read from HTTP ${sent.status}`);
    const odd = oddNumber(outcome.value, 0);
    if (odd !== null) report('illFormedRead', `${name}: ${odd}`);
  } else if (outcome.kind !== 'failed') report('noOutcome', JSON.stringify(outcome));
}

/** A number that is none, anywhere in what was read. */
function oddNumber(value: unknown, depth: number): string | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : String(value);
  if (typeof value !== 'object' || value === null || depth > 6) return null;
  const children = value instanceof Map ? [...value.values()] : Object.values(value);
  for (const child of children) {
    const odd = oddNumber(child, depth + 1);
    if (odd !== null) return odd;
  }
  return null;
}
