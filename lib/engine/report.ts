import type { Ticker } from '../domain/ids.ts';
import { type Lane, sharesHeld, unsettledOrders } from '../domain/lane.ts';
import type { ExitKind, RoundTrip } from '../domain/lane-types.ts';
import { type Cash, cash, formatDecimal, UNITS_PER_USD } from '../domain/money.ts';
import type { Order } from '../domain/order.ts';
import { realizedOf } from '../domain/position.ts';
import { between, type Duration, formatInstant, MICROS_PER_SECOND, type SessionDay } from '../domain/time.ts';
import type { BrokerOrder, BrokerPosition } from '../ports/broker.ts';
import type { LaneCounts } from './blotter.ts';
import type { Discrepancy } from './reconciler.ts';

/** What a session came to. Plain data; amounts in USD as decimal text, so that JSON keeps every digit. */
export type SessionReport = {
  readonly day: SessionDay | null;
  readonly roundTrips: number;
  readonly wins: number;
  /** Every symbol shows nothing held and nothing open, in our books and in the broker's. */
  readonly flat: boolean;
  /** After fees; the same number as `netUsd`. */
  readonly pnlUsd: number;
  readonly grossUsd: string;
  readonly feesUsd: string;
  readonly netUsd: string;
  readonly heldSeconds: { readonly median: number; readonly max: number };
  readonly exits: Readonly<Record<ExitKind, number>>;
  /** Against the mark the order was decided on; positive is bad. */
  readonly slippageBps: { readonly entry: number | null; readonly exit: number | null };
  readonly submitted: number;
  readonly rejections: Readonly<Record<string, number>>;
  readonly denials: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<string, number>>;
  readonly alarms: Readonly<Record<string, number>>;
  readonly discrepancies: readonly Discrepancy[];
  readonly symbols: readonly SymbolReport[];
  /** One line per thing that is still open; empty when flat. */
  readonly open: readonly string[];
};

export type SymbolReport = {
  readonly symbol: Ticker;
  readonly roundTrips: number;
  readonly grossUsd: string;
  readonly feesUsd: string;
  readonly netUsd: string;
  readonly flat: boolean;
  /** The proof of flatness: our books, the broker's orders, the broker's positions; `null` when it was not read. */
  readonly laneShares: number;
  /** Since when trading is halted, by the lane; `null` when it is not. */
  readonly haltedSince: string | null;
  readonly laneOrders: number;
  /** Of these, exits that rest at the broker as they should. */
  readonly restingExits: number;
  readonly brokerOrders: number | null;
  readonly brokerShares: number | null;
};

export type ReportInput = {
  readonly day: SessionDay | null;
  readonly lanes: readonly Lane[];
  readonly trips: readonly RoundTrip[];
  readonly feesOf: (lane: Lane) => Cash;
  readonly counts: (symbol: Ticker) => LaneCounts;
  readonly discrepancies: readonly Discrepancy[];
  /** Read at the end; `null` when the broker could not be read. */
  readonly brokerOrders: readonly BrokerOrder[] | null;
  readonly brokerPositions: readonly BrokerPosition[] | null;
};

export function makeReport(input: ReportInput): SessionReport {
  const { trips, lanes } = input;
  const symbols = lanes.map((lane) => symbolReport(lane, input));
  const gross = sum(lanes.map(grossOf));
  const fees = sum(lanes.map(input.feesOf));
  const held = trips.map((trip) => between(trip.openedAt, trip.closedAt)).sort((a, b) => a - b);
  const counts = lanes.map(({ params }) => input.counts(params.symbol));
  const open = symbols.flatMap(openLines);
  return {
    day: input.day,
    roundTrips: trips.length,
    wins: trips.filter(({ cost, proceeds }) => proceeds > cost).length,
    flat: open.length === 0,
    pnlUsd: (gross - fees) / UNITS_PER_USD,
    grossUsd: formatDecimal(gross),
    feesUsd: formatDecimal(fees),
    netUsd: formatDecimal(cash(gross - fees)),
    heldSeconds: { median: inSeconds(held[held.length >> 1]), max: inSeconds(held.at(-1)) },
    exits: exitKinds(trips),
    slippageBps: {
      entry: averageBps(trips.map(({ entryMark, cost, qty }) => bps(entryMark, cost / qty, 1))),
      exit: averageBps(trips.map(({ exitMark, proceeds, qty }) => bps(exitMark, proceeds / qty, -1))),
    },
    submitted: counts.reduce((total, { submitted }) => total + submitted, 0),
    rejections: merge(counts.map(({ rejections }) => rejections)),
    denials: merge(counts.map(({ denials }) => denials)),
    refusals: merge(counts.map(({ refusals }) => refusals)),
    alarms: merge(counts.map(({ alarms }) => alarms)),
    discrepancies: input.discrepancies,
    symbols,
    open,
  };
}

function symbolReport(lane: Lane, input: ReportInput): SymbolReport {
  const { symbol } = lane.params;
  const gross = grossOf(lane);
  const fees = input.feesOf(lane);
  const laneShares = sharesHeld(lane);
  const laneOrders = unsettledOrders(lane).length;
  const brokerOrders = input.brokerOrders?.filter((order) => order.symbol === symbol).length ?? null;
  const brokerShares =
    input.brokerPositions === null
      ? null
      : (input.brokerPositions.find((position) => position.symbol === symbol)?.shares ?? 0);
  return {
    symbol,
    roundTrips: input.trips.filter((trip) => trip.symbol === symbol).length,
    grossUsd: formatDecimal(gross),
    feesUsd: formatDecimal(fees),
    netUsd: formatDecimal(cash(gross - fees)),
    // Not having asked is no proof.
    flat: laneShares === 0 && laneOrders === 0 && brokerOrders === 0 && brokerShares === 0,
    laneShares,
    haltedSince: lane.trading.kind === 'halted' ? formatInstant(lane.trading.since) : null,
    laneOrders,
    restingExits: unsettledOrders(lane).filter(isRestingExit).length,
    brokerOrders,
    brokerShares,
  };
}

const isRestingExit = ({ kind, intent }: Order): boolean => kind === 'working' && intent.side === 'sell';

const grossOf = (lane: Lane): Cash => cash(lane.day.realized + realizedOf(lane.position));

function openLines(report: SymbolReport): readonly string[] {
  const { symbol, laneShares, restingExits, brokerOrders, brokerShares } = report;
  const unaccounted = report.laneOrders - restingExits;
  if (report.flat) return [];
  const lines: string[] = [];
  const halted = report.haltedSince === null ? '' : `, trading is halted since ${report.haltedSince}`;
  if (laneShares !== 0) lines.push(`${symbol}: ${laneShares} shares by our fills${halted}`);
  if (restingExits !== 0) lines.push(`${symbol}: ${restingExits} exit of ours rests at the broker`);
  if (unaccounted !== 0) lines.push(`${symbol}: ${unaccounted} orders of ours not accounted for`);
  if (brokerOrders === null || brokerShares === null) lines.push(`${symbol}: the broker could not be asked`);
  if (brokerOrders !== null && brokerOrders !== restingExits)
    lines.push(`${symbol}: ${brokerOrders} open orders at the broker`);
  if (brokerShares !== null && brokerShares !== 0)
    lines.push(`${symbol}: ${brokerShares} shares at the broker`);
  return lines;
}

function exitKinds(trips: readonly RoundTrip[]): Record<ExitKind, number> {
  const kinds: Record<ExitKind, number> = { limit: 0, bailOut: 0, flatten: 0 };
  for (const { exitKind } of trips) kinds[exitKind] += 1;
  return kinds;
}

/** `direction` 1 for a buy, where paying more is bad; -1 for a sell. */
function bps(mark: number | null, paid: number, direction: 1 | -1): number | null {
  return mark === null || mark === 0 ? null : (direction * (paid - mark) * 10_000) / mark;
}

function averageBps(each: readonly (number | null)[]): number | null {
  const known = each.filter((value) => value !== null);
  if (known.length === 0) return null;
  return Math.round((known.reduce((total, value) => total + value, 0) / known.length) * 100) / 100;
}

const sum = (amounts: readonly Cash[]): Cash => cash(amounts.reduce((total, amount) => total + amount, 0));
const inSeconds = (length: Duration | undefined): number =>
  length === undefined ? 0 : Math.round(length / MICROS_PER_SECOND);

function merge(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const merged: Record<string, number> = {};
  for (const counts of all)
    for (const [code, count] of Object.entries(counts)) merged[code] = (merged[code] ?? 0) + count;
  return merged;
}

/** For people: the same facts, the two that matter most on lines of their own. */
export function formatReport(report: SessionReport): string {
  const { exits, slippageBps: slip } = report;
  const perSymbol = report.symbols.map(
    ({ symbol, roundTrips, netUsd, flat }) =>
      `  ${symbol.padEnd(6)} ${String(roundTrips).padStart(4)} round trips  ${netUsd.padStart(10)} USD  ${flat ? 'flat' : 'OPEN'}`,
  );
  const lines = [
    `session: ${report.day ?? 'none'}`,
    `round trips: ${report.roundTrips}`,
    `wins: ${report.wins}`,
    `P&L after fees: ${report.netUsd} USD (gross ${report.grossUsd}, fees ${report.feesUsd})`,
    `time held: median ${report.heldSeconds.median} s, longest ${report.heldSeconds.max} s`,
    `exits: limit ${exits.limit}, bail-out ${exits.bailOut}, flatten ${exits.flatten}`,
    `slippage: entry ${slip.entry ?? '-'} bps, exit ${slip.exit ?? '-'} bps`,
    `orders: ${report.submitted} submitted, rejected ${list(report.rejections)}, denied ${list(report.denials)}`,
    `entries refused: ${list(report.refusals)}`,
    `alarms: ${list(report.alarms)}`,
    ...perSymbol,
    ...report.discrepancies.map(
      ({ symbol, code, evidence }) => `discrepancy: ${symbol} ${code}: ${evidence}`,
    ),
    ...(report.discrepancies.length === 0 ? ['discrepancies: none'] : []),
    ...(report.flat ? ['flat'] : report.open.map((line) => `open: ${line}`)),
  ];
  return `${lines.join('\n')}\n`;
}

function list(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts);
  return entries.length === 0 ? 'none' : entries.map(([code, count]) => `${code} ${count}`).join(', ');
}
