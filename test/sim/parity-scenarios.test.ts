import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Side } from '../../lib/domain/execution.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import { type Price, price as priceUnits } from '../../lib/domain/money.ts';
import { type Micros, parseInstant } from '../../lib/domain/time.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type {
  Answer,
  Exchange,
  ExchangeOptions,
  FillRule,
  SimOrder,
  TapeItem,
} from '../../lib/sim/exchange-api.ts';
import { symbolOf, tapeFromItems } from '../../lib/sim/tape.ts';
import { instant, options, request, session } from './support.ts';

/*
 * The order sequences of a published script, recorded against a simple broker, sent to the exchange again at the same
 * instants: the same answers, and the same shares and open orders at the end.
 */

const FOLDER = join('..', 'shared', 'parity', 'scenarios');

type Scenario = {
  readonly name: string;
  readonly symbols: readonly string[];
  readonly start: string;
  readonly end: string;
  readonly exchange: {
    readonly subPenny?: 'reject' | 'tolerant';
    readonly oversell?: 'reject' | 'allow';
    readonly shorting?: boolean;
    readonly formingBar?: boolean;
    readonly fills?: readonly ScenarioFill[];
  };
  readonly setup: readonly ScenarioStep[];
  readonly at: readonly (readonly [string, ScenarioStep])[];
  readonly tape: readonly Row[];
  readonly published: {
    readonly orders: readonly string[];
    readonly positions: readonly string[];
    readonly open_orders: readonly string[];
  };
};
type ScenarioFill = {
  readonly match: FillRule['match'];
  readonly model: string;
  readonly pieces?: number;
  readonly only?: number;
  readonly delayMs?: number;
};
type ScenarioStep = {
  readonly op: string;
  readonly symbol?: Ticker;
  readonly qty?: number;
  readonly avg?: number;
  readonly side?: Side;
  readonly limit_price?: number;
};
type Row = {
  readonly T: 't' | 'b';
  readonly S: Ticker;
  readonly t: string;
  readonly p: number;
  readonly s: number;
  readonly o: number;
  readonly h: number;
  readonly l: number;
  readonly c: number;
  readonly v: number;
  readonly n: number;
  readonly vw: number;
};

const units = (value: number): Price => priceUnits(Math.round(value * 10_000));
const at = (text: string): Micros => instant(text);

function tapeItem(row: Row): TapeItem {
  const symbol = row.S;
  const stamp = at(row.t);
  if (row.T === 't')
    return {
      kind: 'print',
      at: stamp,
      print: { symbol, at: stamp, price: units(row.p), size: row.s, exchange: 'V', conditions: [], id: '1' },
    };
  return {
    kind: 'bar',
    at: (stamp + 60_000_000) as Micros,
    bar: {
      symbol,
      startAt: stamp,
      open: units(row.o),
      high: units(row.h),
      low: units(row.l),
      close: units(row.c),
      volume: row.v,
      tradeCount: row.n,
      vwap: units(row.vw),
    },
  };
}

function fillRule(rule: ScenarioFill): FillRule {
  const delay = (rule.delayMs ?? 0) * 1_000;
  const models: Record<string, FillRule['model']> = {
    never: { kind: 'never' },
    reject: { kind: 'reject', delay },
    partial: { kind: 'partial', pieces: rule.pieces ?? 1, only: rule.only ?? null, delay },
    'cancel-race': { kind: 'cancelRace' },
  };
  return { match: rule.match, model: models[rule.model] ?? { kind: 'never' }, times: null };
}

function open(scenario: Scenario): Exchange {
  const start = parseInstant(scenario.start);
  if (start === null) throw new Error(scenario.start);
  const { fills = [], shorting = true, ...rules } = scenario.exchange;
  const over: Partial<ExchangeOptions> = {
    ...rules,
    startAt: start,
    sessions: [session(scenario.start.slice(0, 10))],
    account: { cash: 1e9 as never, multiplier: 4, shorting },
    // The broker of the recording knew no wash-trade rule.
    washTrades: 'allow',
    fillModel: 'print',
    latencyIn: 0,
    latencyOut: 0,
    barDelay: 500_000,
    fillRules: fills.map(fillRule),
  };
  const symbols = scenario.symbols as readonly Ticker[];
  const sources = symbols.map((symbol) =>
    scenario.tape.map(tapeItem).filter((item) => symbolOf(item) === symbol),
  );
  return createExchange(options(over), tapeFromItems(symbols, sources));
}

function step(exchange: Exchange, action: ScenarioStep): void {
  const { op, symbol = 'AAA' as Ticker, qty = 0, side = 'sell' } = action;
  if (op === 'position')
    exchange.act({ kind: 'setPosition', symbol, qty, averagePrice: units(action.avg ?? 0) });
  if (op === 'order') {
    const limitPrice = String(action.limit_price);
    exchange.act({
      kind: 'foreignOrder',
      request: request({ symbol, side, qty: String(qty), type: 'limit', limitPrice }),
    });
  }
  if (op === 'cancel') exchange.act({ kind: 'cancelByHand', match: { side } });
}

type Sent = { readonly at: Micros; readonly run: (exchange: Exchange) => void };
const ORDER = /^(\S+) (buy|sell) (\S+) (\d+) (limit|market)(?: @ (\S+))? day -> (\d+)(?: (.*))?$/;
const CANCEL = /^(\S+) cancel (buy|sell) (\S+) -> (\d+)(?: (.*))?$/;

/** One recorded request with its recorded answer. Injected faults never reached the book and are left out. */
function sent(line: string): Sent | null {
  const order = ORDER.exec(line);
  if (order !== null) {
    const [, when = '', side = '', symbol = '', qty = '', type = '', price, status = '', text = ''] = order;
    if (text.includes('not accepted')) return null;
    const body = request({ symbol, side, qty, type, limitPrice: price ?? null });
    return {
      at: at(when),
      run: (exchange) =>
        expectAnswer(exchange.submitOrder(body), status, text.replace(/^\(client saw.*\)$/, ''), line),
    };
  }
  const cancel = CANCEL.exec(line);
  if (cancel === null) throw new Error(line);
  const [, when = '', side = '', symbol = '', status = '', text = ''] = cancel;
  return {
    at: at(when),
    run: (exchange) => {
      const found = exchange
        .ledger()
        .orders.filter((each) => each.side === side && each.symbol === symbol)
        .at(-1);
      if (found === undefined) throw new Error(`no order for ${line}`);
      expectAnswer(exchange.cancelOrder(found.id), status, text, line);
    },
  };
}

function expectAnswer(answer: Answer<unknown>, status: string, text: string, line: string): void {
  const found = answer.ok
    ? [answer.value === null ? '204' : '200', '']
    : [String(answer.status), answer.message];
  expect(found, line).to.deep.equal([status, text]);
}

const decimals = (value: number): string => String(Number((value / 10_000).toFixed(4)));
const openOrder = (order: SimOrder): string =>
  `${order.side} ${order.qty} ${order.symbol} ${order.type}${order.limitPrice === null ? '' : ` ${decimals(order.limitPrice)}`} ${order.status}`;

describe('sim: the recorded order sequences of the published script', () => {
  const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((file) => file.endsWith('.json')) : [];
  if (files.length === 0)
    it('needs ../shared/parity/scenarios, which is not here', function () {
      this.skip();
    });
  for (const file of files)
    it(file.replace('.json', ''), () => {
      const scenario: Scenario = JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));
      const exchange = open(scenario);
      for (const action of scenario.setup) step(exchange, action);
      const day = scenario.start.slice(0, 10);
      const offset = scenario.start.slice(-6);
      const steps: Sent[] = [
        ...scenario.at.map(([time, action]) => ({
          at: at(`${day}T${time}${offset}`),
          run: (on: Exchange) => step(on, action),
        })),
        ...scenario.published.orders.flatMap((line) => sent(line) ?? []),
      ].sort((a, b) => a.at - b.at);
      for (const each of steps) {
        exchange.advanceTo(each.at);
        each.run(exchange);
        exchange.advanceTo(each.at);
      }
      const endsAt = at(`${day}T${scenario.end}${offset}`);
      if (endsAt > exchange.now()) exchange.advanceTo(endsAt);
      const positions = exchange
        .positions()
        .map(({ qty, symbol, averagePrice }) => `${qty} ${symbol} @ ${decimals(averagePrice)}`);
      expect(positions).to.deep.equal(scenario.published.positions);
      const resting = exchange
        .ledger()
        .orders.filter(({ status }) => status === 'new' || status === 'accepted')
        .map(openOrder);
      expect(resting).to.deep.equal(scenario.published.open_orders);
    });
});
