import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Side } from '../../lib/domain/execution.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { type Cash, cash, type Price, price, UNITS_PER_USD } from '../../lib/domain/money.ts';
import type { Session } from '../../lib/domain/session.ts';
import { type Micros, millis, parseInstant, type SessionDay } from '../../lib/domain/time.ts';
import type {
  ExchangeAction,
  ExchangeOptions,
  FillRule,
  SimOrderType,
  TapeItem,
} from '../../lib/sim/exchange-api.ts';
import type { ScriptedFault } from '../../lib/sim/fault-types.ts';
import { foreignRequest } from './foreign-request.ts';

import { PARITY_FOLDER, readJson } from './shared-files.ts';
import { readTapeLine } from './tape-line.ts';

/** Bars of the recordings arrive half a second after their minute. */
export const BAR_DELAY = millis(500);

export type Scenario = {
  readonly name: string;
  readonly about: string;
  readonly symbols: readonly Ticker[];
  readonly lot: Cash;
  readonly session: Session;
  readonly startAt: Micros;
  readonly endAt: Micros;
  readonly exchange: Pick<ExchangeOptions, 'subPenny' | 'oversell' | 'fillRules'> & {
    readonly shorting: boolean;
    readonly formingBar: boolean;
  };
  /** Done to the account before the start. */
  readonly setup: readonly ExchangeAction[];
  /** Done to the wire and the account from the start on. */
  readonly faults: readonly ScriptedFault[];
  readonly published: {
    readonly orders: readonly string[];
    readonly process: string;
    readonly positions: readonly string[];
    readonly openOrders: readonly string[];
  };
  readonly tape: readonly TapeItem[];
};

type RawOp = { readonly op: string; readonly [key: string]: unknown };
type RawScenario = {
  readonly name: string;
  readonly about: string;
  readonly symbols: readonly string[];
  readonly lot: number;
  readonly start: string;
  readonly end: string;
  readonly exchange: {
    readonly subPenny?: 'tolerant';
    readonly oversell?: 'allow';
    readonly shorting?: boolean;
    readonly formingBar?: boolean;
    readonly fills?: readonly RawFill[];
  };
  readonly setup: readonly RawOp[];
  readonly at: readonly (readonly [string, RawOp])[];
  readonly published: {
    readonly orders: readonly string[];
    readonly process: string;
    readonly positions: readonly string[];
    readonly open_orders: readonly string[];
  };
  readonly tape: readonly unknown[];
};
type RawFill = {
  readonly match: { readonly side?: Side; readonly type?: SimOrderType };
  readonly model: string;
  readonly delayMs?: number;
  readonly pieces?: number;
  readonly only?: number;
};

export function scenarioNames(): readonly string[] {
  return readdirSync(join(PARITY_FOLDER, 'scenarios'))
    .filter((file) => file.endsWith('.json'))
    .map((file) => basename(file, '.json'))
    .sort();
}

export function readScenario(name: string): Scenario {
  const raw = readJson(join(PARITY_FOLDER, 'scenarios', `${name}.json`)) as RawScenario;
  const onDay = (time: string): Micros => instant(`${raw.start.slice(0, 11)}${time}${raw.start.slice(19)}`);
  return {
    name: raw.name,
    about: raw.about,
    symbols: raw.symbols.map((symbol) => symbol as Ticker),
    lot: cash(raw.lot * UNITS_PER_USD),
    session: {
      day: raw.start.slice(0, 10) as SessionDay,
      openAt: onDay('09:30:00'),
      closeAt: onDay('16:00:00'),
      halfDay: false,
    },
    startAt: instant(raw.start),
    endAt: onDay(raw.end),
    exchange: {
      subPenny: raw.exchange.subPenny ?? 'reject',
      oversell: raw.exchange.oversell ?? 'reject',
      shorting: raw.exchange.shorting ?? true,
      formingBar: raw.exchange.formingBar ?? false,
      fillRules: (raw.exchange.fills ?? []).map(fillRule),
    },
    setup: raw.setup.flatMap((op) => actionOf(op)),
    faults: [
      ...raw.setup.flatMap((op) => faultOf(instant(raw.start), op)),
      ...raw.at.flatMap(([time, op]) => faultOf(onDay(time), op)),
    ],
    published: { ...raw.published, openOrders: raw.published.open_orders },
    tape: raw.tape.map(readTapeLine),
  };
}

function fillRule({ match, model, delayMs = 0, pieces = 1, only }: RawFill): FillRule {
  const delay = millis(delayMs);
  switch (model) {
    case 'never':
      return { match, model: { kind: 'never' }, times: null };
    case 'reject':
      return { match, model: { kind: 'reject', delay }, times: null };
    case 'partial':
      return { match, model: { kind: 'partial', pieces, only: only ?? null, delay }, times: null };
    case 'cancel-race':
      return { match, model: { kind: 'cancelRace' }, times: null };
    default:
      throw new Error(`a fill model is never, reject, partial or cancel-race; found ${model}`);
  }
}

/** What the account holds at the start; such orders are another hand's. */
function actionOf(raw: RawOp): readonly ExchangeAction[] {
  const symbol = raw.symbol as Ticker;
  if (raw.op === 'position')
    return [{ kind: 'setPosition', symbol, qty: Number(raw.qty), averagePrice: usd(raw.avg) }];
  if (raw.op !== 'order') return [];
  const { side, qty, limit_price: limit } = raw;
  const request = foreignRequest({
    symbol,
    side: String(side),
    qty: String(qty),
    limitPrice: String(limit),
  });
  return [{ kind: 'foreignOrder', request }];
}

function faultOf(at: Micros, raw: RawOp): readonly ScriptedFault[] {
  const match = (raw.match ?? {}) as Readonly<Record<string, string>>;
  const action = (raw.action ?? {}) as Readonly<Record<string, unknown>>;
  const side = (match.side as Side | undefined) ?? null;
  switch (raw.op) {
    case 'position':
    case 'order':
      return [];
    case 'cancel':
      return [{ kind: 'act', at, action: { kind: 'cancelByHand', match: { side: raw.side as Side } } }];
    case 'drop':
      return [{ kind: 'drop', target: raw.target === 'data' ? 'data' : 'trading', at }];
    case 'rest':
      return [
        {
          kind: 'rest',
          match: { method: match.method ?? null, path: todaysPath(match.path ?? ''), side, symbol: null },
          from: at,
          times: 1,
          action: {
            kind: 'answer',
            status: Number(action.status),
            body: 'json',
            accept: action.accept === true,
          },
        },
      ];
    case 'updates':
      return [
        {
          kind: 'updates',
          match: { event: match.event ?? null, side, symbol: null },
          from: at,
          times: 1,
          action: action.lose === true ? { kind: 'drop' } : { kind: 'duplicate', extra: 1 },
        },
      ];
    default:
      throw new Error(`a scenario does position, order, cancel, drop, rest or updates; found ${raw.op}`);
  }
}

/** The last trade had another address in the script's time. */
const todaysPath = (path: string): string => path.replace('^/v1/last', '^/v2/stocks/trades/latest');

export function instant(text: string): Micros {
  const at = parseInstant(text);
  if (at === null) throw new Error(`an instant is RFC 3339; found ${text}`);
  return at;
}

/** Dollars as JSON numbers: the nearest 1/10000. */
export const usd = (value: unknown): Price => price(Math.round(Number(value) * UNITS_PER_USD));
