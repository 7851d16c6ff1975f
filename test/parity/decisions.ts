import type { Side } from '../../lib/domain/execution.ts';
import { formatDecimal, type Price } from '../../lib/domain/money.ts';
import { formatInstant, type Micros } from '../../lib/domain/time.ts';
import { instant, usd } from './scenario.ts';

/**
 * What the exchange made of a request, as far as the sender could know: `taken` (200, 204), `refused` (an answer that
 * proves it), `lost` (429, 5xx: no usable answer).
 */
export type Answered = 'taken' | 'refused' | 'lost';

/** One request about an order: the decision behind it, and how it was answered. */
export type Decision = {
  readonly at: Micros;
  readonly symbol: string;
  readonly side: Side;
  readonly act:
    | { readonly kind: 'limit'; readonly qty: number; readonly limit: Price }
    | { readonly kind: 'market'; readonly qty: number }
    | { readonly kind: 'cancel' };
  readonly answered: Answered;
};

/** What the account and the process look like at the end of a scenario. */
export type Ending = {
  readonly positions: readonly { readonly symbol: string; readonly shares: number }[];
  readonly openOrders: readonly string[];
  readonly process: string;
};

const SUBMIT =
  /^(?<at>\S+) (?<side>buy|sell) (?<symbol>\S+) (?<qty>\d+) (?<type>limit|market)(?: @ (?<limit>\S+))? day -> (?<answer>.*)$/;
const CANCEL = /^(?<at>\S+) cancel (?<side>buy|sell) (?<symbol>\S+) -> (?<answer>.*)$/;

/**
 * Reads a line of a recording. Limits are read to 1/10000 USD: what differs behind that is noise of binary floating
 * point (100.21000000000001), not a decision; that an exchange refuses such a number shows in the answer.
 */
export function readDecision(line: string): Decision {
  const submit = SUBMIT.exec(line)?.groups;
  if (submit !== undefined)
    return {
      ...headOf(submit),
      act:
        submit.type === 'limit'
          ? { kind: 'limit', qty: Number(submit.qty), limit: usd(submit.limit) }
          : { kind: 'market', qty: Number(submit.qty) },
    };
  const cancel = CANCEL.exec(line)?.groups;
  if (cancel === undefined) throw new Error(`a recorded line is a submit or a cancel; found ${line}`);
  return { ...headOf(cancel), act: { kind: 'cancel' } };
}

function headOf(groups: Record<string, string>): Omit<Decision, 'act'> {
  const { at = '', side, symbol = '', answer = '' } = groups;
  return { at: instant(at), side: side as Side, symbol, answered: answeredOf(answer) };
}

function answeredOf(answer: string): Answered {
  const seen = /\(client saw (\d+)\)/.exec(answer)?.[1] ?? answer.slice(0, 3);
  const status = Number(seen);
  if (status < 300) return 'taken';
  return status === 429 || status >= 500 ? 'lost' : 'refused';
}

/** `14:52:00.5 buy 19 AAA @ 100.20`, with the answer where it is not plain success. */
export function formatDecision({ at, symbol, side, act, answered }: Decision): string {
  const answer = answered === 'taken' ? '' : `, ${answered}`;
  return `${formatTime(at)} ${formatAct(side, symbol, act)}${answer}`;
}

function formatAct(side: Side, symbol: string, act: Decision['act']): string {
  switch (act.kind) {
    case 'limit':
      return `${side} ${act.qty} ${symbol} @ ${formatDecimal(act.limit)}`;
    case 'market':
      return `${side} ${act.qty} ${symbol} at market`;
    default:
      return `cancel ${side} ${symbol}`;
  }
}

/** UTC to the nearest tenth of a second, without a tenth of 0. */
function formatTime(at: Micros): string {
  const text = formatInstant((at + 50_000) as Micros).slice(11, 21);
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}

const POSITION = /^(-?\d+) (\S+) @ /;
const OPEN_ORDER = /^(buy|sell) (\d+) (\S+) (limit|market)(?: (\S+))? (?:\S+)$/;

/** What a recording says of its end, as lines: `at the end: holds 19 AAA`. */
export function endingLines(published: {
  readonly process: string;
  readonly positions: readonly string[];
  readonly openOrders: readonly string[];
}): readonly string[] {
  return formatEnding({
    process: published.process,
    positions: published.positions.map((line) => {
      const [, shares = '', symbol = ''] = POSITION.exec(line) ?? [];
      return { symbol, shares: Number(shares) };
    }),
    openOrders: published.openOrders.map((line) => {
      const [, side = '', qty = '', symbol = '', type = '', limit] = OPEN_ORDER.exec(line) ?? [];
      return formatAct(
        side as Side,
        symbol,
        type === 'limit'
          ? { kind: 'limit', qty: Number(qty), limit: usd(limit) }
          : { kind: 'market', qty: Number(qty) },
      );
    }),
  });
}

export function formatEnding({ positions, openOrders, process }: Ending): readonly string[] {
  return [
    ...positions.map(({ symbol, shares }) => `at the end: holds ${shares} ${symbol}`),
    ...openOrders.map((order) => `at the end: rests ${order}`),
    ...(process === 'running' ? [] : [`at the end: process ${process}`]),
  ];
}
