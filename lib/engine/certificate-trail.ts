import type { Side } from '../domain/execution.ts';
import { isOurs, type Ticker } from '../domain/ids.ts';
import { type Lane, ordersOf, sharesHeld } from '../domain/lane.ts';
import type { StoredRecord } from '../ports/journal.ts';
import { type Evidence, evidenceIn } from './evidence.ts';
import { isObject, laneBeginIn, stepIn } from './lane-records.ts';

/**
 * What a day's journal says of one symbol's shares, by the client order ids they moved under. Records that do not read as
 * what they claim to be are left out: what they would have told is then missing, and shows.
 */
export type Trail = {
  /** Shares that the lane brought into the day. */
  opening: number;
  /** Shares that came by adoption, less those that went by somebody else's hand. */
  byHand: number;
  readonly intents: Map<string, TracedIntent>;
  /** The last word on each request. */
  readonly outcomes: Map<string, string>;
  /** Shares that a successor counts as filled although its predecessor filled them. */
  readonly carried: Map<string, number>;
  /** Executions that the stream told of, by the order's ids; each once. */
  readonly executions: Map<string, Map<string, Execution>>;
  /** The last look at the broker, and the record that holds it. */
  evidence: { readonly id: number; readonly body: Evidence } | null;
  /** The last record that moved something: a request or an execution. */
  lastMoveId: number;
  lost: number;
  begun: boolean;
};

export type TracedIntent = {
  readonly side: Side;
  readonly qty: number;
  readonly purpose: string;
  /** `null`: the order was found at the broker; whoever decided it left no record. */
  readonly record: number | null;
};

export type Execution = { readonly qty: number; readonly record: number };

export type DayTrail = {
  readonly symbols: ReadonlyMap<Ticker, Trail>;
  /** A session began, so there is something to certify. */
  readonly began: boolean;
};

const newTrail = (): Trail => ({
  opening: 0,
  byHand: 0,
  intents: new Map(),
  outcomes: new Map(),
  carried: new Map(),
  executions: new Map(),
  evidence: null,
  lastMoveId: 0,
  lost: 0,
  begun: false,
});

export function trailOf(records: readonly StoredRecord[]): DayTrail {
  const symbols = new Map<Ticker, Trail>();
  let fromBroker: readonly unknown[] = [];
  let began = false;
  for (const record of records) {
    const { kind, symbol, body } = record;
    if (!isObject(body)) continue;
    if (symbol === null) {
      if (kind === 'session' && body.what === 'began') began = true;
      if (kind === 'session' && body.what === 'started')
        fromBroker = Array.isArray(body.fromBroker) ? body.fromBroker : [];
      continue;
    }
    const trail = symbols.get(symbol) ?? newTrail();
    symbols.set(symbol, trail);
    take(trail, record, body, fromBroker.includes(symbol));
  }
  return { symbols, began: began || [...symbols.values()].some(({ intents }) => intents.size > 0) };
}

function take(
  trail: Trail,
  { id, kind, body }: StoredRecord,
  fields: Readonly<Record<string, unknown>>,
  isFromBroker: boolean,
): void {
  switch (kind) {
    case 'session': {
      const lane = laneBeginIn(body)?.lane;
      if (lane !== undefined) takeLane(trail, lane, isFromBroker ? null : id, isFromBroker);
      const evidence = evidenceIn(body);
      if (evidence !== null) trail.evidence = { id, body: evidence };
      break;
    }
    case 'request':
      if (fields.what !== 'submit') break;
      takeIntent(trail, fields.intent, id);
      trail.lastMoveId = id;
      break;
    case 'outcome':
      if (typeof fields.clientOrderId === 'string' && typeof fields.kind === 'string')
        trail.outcomes.set(fields.clientOrderId, fields.kind);
      break;
    case 'report':
      takeExecution(trail, fields, id);
      break;
    case 'input':
      takeInput(trail, body, id);
      break;
    case 'gap':
      trail.lost += typeof fields.records === 'number' ? fields.records : 0;
      break;
    default:
      break;
  }
}

/** What a lane began with says what it brought along; later beginnings only name orders that nothing else told of. */
function takeLane(trail: Trail, lane: Lane, record: number | null, isFromBroker: boolean): void {
  // Shares that the broker's orders of this day tell of are not brought along from another one.
  if (!trail.begun && !isFromBroker) trail.opening = sharesHeld(lane);
  trail.begun = true;
  for (const { intent } of ordersOf(lane)) {
    if (trail.intents.has(intent.clientOrderId)) continue;
    takeIntent(trail, intent, record);
  }
}

function takeIntent(trail: Trail, intent: unknown, record: number | null): void {
  if (!isObject(intent) || typeof intent.clientOrderId !== 'string' || typeof intent.qty !== 'number') return;
  trail.intents.set(intent.clientOrderId, {
    side: intent.side === 'sell' ? 'sell' : 'buy',
    qty: intent.qty,
    purpose: String(intent.purpose),
    record,
  });
}

function takeExecution(trail: Trail, report: Readonly<Record<string, unknown>>, id: number): void {
  const { fill, clientOrderId, brokerOrderId } = report;
  if (!isObject(fill) || typeof fill.executionId !== 'string' || typeof fill.lastQty !== 'number') return;
  const isKnown = trail.intents.has(String(clientOrderId)) || isOurs(String(clientOrderId));
  // A successor is known by whatever id its order has at the broker.
  const key = isKnown ? String(clientOrderId) : String(brokerOrderId);
  const known = trail.executions.get(key) ?? new Map<string, Execution>();
  trail.executions.set(key, known);
  if (isKnown) trail.lastMoveId = id;
  if (!known.has(fill.executionId)) known.set(fill.executionId, { qty: fill.lastQty, record: id });
}

function takeInput(trail: Trail, body: unknown, id: number): void {
  const event = stepIn(body)?.event;
  switch (event?.kind) {
    case 'submitSettled':
      trail.outcomes.set(event.clientOrderId, event.verdict.kind);
      break;
    case 'succeeded':
      takeIntent(trail, event.successor, id);
      trail.carried.set(event.successor.clientOrderId, event.carried?.qty ?? 0);
      break;
    case 'adopted':
      trail.byHand += event.qty;
      break;
    case 'released':
      trail.byHand -= event.qty;
      break;
    default:
      break;
  }
}
