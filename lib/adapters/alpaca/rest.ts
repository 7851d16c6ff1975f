import type { BrokerOrderId, ClientOrderId, Ticker } from '../../domain/ids.ts';
import type { Bar } from '../../domain/market.ts';
import { after, before, type Duration, formatInstant, type Micros, minutes } from '../../domain/time.ts';
import { SYMBOLS_PER_REQUEST } from '../../engine/inquiry.ts';
import type { Broker, BrokerAsset, Read } from '../../ports/broker.ts';
import { type AnswerContext, cancelOutcome, lookupOf, readAs, submitOutcome } from './answers.ts';
import {
  decodeAccount,
  decodeAsset,
  decodeAssets,
  decodeCalendar,
  decodeClock,
} from './codec-decode-account.ts';
import type { Decoded } from './codec-decode-base.ts';
import { decodeBarsPage, decodeLatestTrades } from './codec-decode-market.ts';
import { decodeFills, decodeOrdersPage, decodePositions } from './codec-decode-orders.ts';
import { createRequestEncoder } from './codec-encode-requests.ts';
import type { DataFeedName } from './endpoints.ts';
import type { HttpAnswer } from './http-answer.ts';
import { createHttpLines } from './http-lines.ts';
import { createHttpTransport } from './http-transport.ts';
import { allBars, allFills, allOrders, FILLS_PAGE, ORDERS_PAGE } from './paging.ts';
import { createRedact } from './redact.ts';
import { answerOf, createSdk, wireTime } from './sdk.ts';

/** What an answer's headers say about the request budget of its host. */
export type RateReading = {
  readonly host: 'trading' | 'data';
  readonly limit: number;
  readonly remaining: number;
};

export type BrokerOptions = {
  readonly baseUrl: string;
  readonly dataUrl: string;
  readonly keyId: string;
  readonly secret: string;
  readonly feed: DataFeedName;
  /** Exchange time, for the stamps of answers. */
  now(): Micros;
  /**
   * Milliseconds of WALL time after which a request has no answer; asked at each request. 10,000 when absent: it measures
   * networks and machines, which do not run faster when the exchange's clock does. See `transportMillis`.
   */
  timeoutMillis?(): number;
  /** Connections per host for everything but orders; each carries one request at a time. */
  readonly connections?: number;
  /** Connections for orders that are kept ready; none when absent: the first orders open them. */
  readonly orderLines?: number;
  /** 0 to 1, 1 excluded; spreads the pauses between attempts to open them. */
  random?(): number;
  /** Told after every answer that carries the headers. Must not throw. */
  onRate?(reading: RateReading): void;
};

export type AlpacaBroker = Broker & {
  /** Sends `requests` cheap reads on the connections for orders, to warm code and connections; each counts against the budget. */
  warm(requests: number): Promise<void>;
  close(): Promise<void>;
};

const TIMEOUT_MILLIS = 10_000;
const CONNECTIONS = 16;
/** So many connections for orders may be open in any case, where the orders need them. */
const ORDER_LINES_MIN = 64;
const WARM_AT_ONCE = 4;
/** Wall time for one of them: practice must not hold up a restart that has shares to sell. */
const WARM_MILLIS = 1_000;
const BARS_PAGE = 10_000;
/** Up to here assets are asked for one by one; beyond, the whole list costs less of the budget. */
const ASSETS_ONE_BY_ONE = 5;
const ONE_MICRO = 1 as Duration;
const SPEED_HEADER = 'x-scalpd-clock-speed';

/**
 * Alpaca's REST as the broker port. Nothing here queues or retries; keys appear in no text that leaves it. Orders and cancels
 * are in the socket when `submit` and `cancel` return; all else goes through the SDK.
 */
export function openBroker(options: BrokerOptions): AlpacaBroker {
  const connections = options.connections ?? CONNECTIONS;
  const onTrading = createHttpTransport(options.baseUrl, connections);
  const onData = createHttpTransport(options.dataUrl, connections);
  const timeoutMillis = (): number => options.timeoutMillis?.() ?? TIMEOUT_MILLIS;
  const sdk = createSdk({ ...options, trading: onTrading, data: onData, timeoutMillis });
  const encode = createRequestEncoder({ ...options, userAgent: sdk.userAgent });
  const ahead = options.orderLines ?? 0;
  const lines = createHttpLines({
    baseUrl: options.baseUrl,
    ahead,
    max: Math.max(ahead, ORDER_LINES_MIN),
    random: options.random ?? (() => 0.5),
  });
  const redact = createRedact([options.keyId, options.secret]);
  const context = (): AnswerContext => ({ now: options.now(), redact });

  const tellRate = (answer: HttpAnswer, host: RateReading['host']): void => {
    const rate = rateOf(answer, host);
    if (rate !== null) options.onRate?.(rate);
  };
  type Call = Promise<{ readonly raw: unknown }>;
  const ask = async (call: Call, host: RateReading['host'] = 'trading'): Promise<HttpAnswer> => {
    const answer = await answerOf(call);
    tellRate(answer, host);
    return answer;
  };
  /** In the socket when this returns. */
  const ordered = (request: string, most = Number.POSITIVE_INFINITY): Promise<HttpAnswer> =>
    lines.send(request, Math.min(most, timeoutMillis())).then((answer) => {
      tellRate(answer, 'trading');
      return answer;
    });
  const read = async <T>(call: Call, decode: (body: unknown) => Decoded<T>, host?: RateReading['host']) =>
    readAs(await ask(call, host), context(), decode);

  const orders = (status: 'open' | 'all', from: Micros | null) =>
    allOrders(from, (since) =>
      read(
        sdk.orders.getAllOrdersRaw({
          status,
          limit: ORDERS_PAGE,
          direction: 'asc',
          nested: false,
          ...since,
        }),
        decodeOrdersPage,
      ),
    );

  const asset = async (symbol: Ticker): Promise<Read<BrokerAsset>> => {
    const answer = await ask(sdk.assets.getV2AssetsSymbolOrAssetIdRaw({ symbolOrAssetId: symbol }));
    if (answer.kind === 'answered' && answer.status === 404) return { kind: 'ok', value: noAsset(symbol) };
    return readAs(answer, context(), decodeAsset);
  };

  const barsOf = (symbols: readonly Ticker[], from: Micros, to: Micros) =>
    allBars((token) =>
      read(
        sdk.stocks.stockBarsRaw({
          symbols: symbols.join(','),
          timeframe: '1Min',
          start: wireTime(formatInstant(from)),
          end: wireTime(formatInstant(before(to, ONE_MICRO))),
          limit: BARS_PAGE,
          adjustment: 'raw',
          feed: options.feed,
          sort: 'asc',
          ...(token === null ? {} : { pageToken: token }),
        }),
        decodeBarsPage,
        'data',
      ),
    );

  return {
    submit: (intent) =>
      ordered(encode.submit(intent)).then((answer) => submitOutcome(answer, context(), intent)),
    cancel: (order) => ordered(encode.cancel(order)).then((answer) => cancelOutcome(answer, context())),
    async orderByClientOrderId(id: ClientOrderId) {
      return lookupOf(
        await ask(sdk.orders.getOrderByClientOrderIdRaw({ clientOrderId: id })),
        context(),
        (order) => order.clientOrderId === id,
      );
    },
    async orderById(id: BrokerOrderId) {
      return lookupOf(
        await ask(sdk.orders.getOrderByOrderIDRaw({ orderId: id })),
        context(),
        (order) => order.brokerOrderId === id,
      );
    },
    openOrders: () => orders('open', null),
    ordersSince: (from) => orders('all', from),
    async fillsSince(from) {
      const fills = await allFills((token) =>
        read(
          sdk.activities.getAccountActivitiesByActivityTypeRaw({
            activityType: 'FILL',
            after: wireTime(formatInstant(from)),
            direction: 'asc',
            pageSize: FILLS_PAGE,
            ...(token === null ? {} : { pageToken: token }),
          }),
          decodeFills,
        ),
      );
      return mapRead(fills, (list) => list.filter((fill) => fill.at > from));
    },
    positions: () => read(sdk.positions.getAllOpenPositionsRaw(), decodePositions),
    account: () => read(sdk.accounts.getAccountRaw(), decodeAccount),
    async clock() {
      const answer = await ask(sdk.clock.legacyClockRaw());
      const speed = answer.kind === 'answered' ? (answer.headers[SPEED_HEADER] ?? null) : null;
      return readAs(answer, context(), (body) => decodeClock(body, speed));
    },
    async calendar(from, to) {
      const call = sdk.calendar.legacyCalendarRaw({ start: wireTime(from), end: wireTime(to) });
      const sessions = await read(call, decodeCalendar);
      return mapRead(sessions, (list) => list.filter((s) => s.day >= from && s.day <= to));
    },
    async assets(symbols) {
      if (symbols.length <= ASSETS_ONE_BY_ONE) return inTurn(symbols, asset);
      const all = await read(sdk.assets.getV2AssetsRaw({ assetClass: 'us_equity' }), decodeAssets);
      return mapRead(all, (list) => pickAssets(list, symbols));
    },
    async bars(symbols, from, to) {
      const parts = await inTurn(chunks(symbols, SYMBOLS_PER_REQUEST), (part) => barsOf(part, from, to));
      return mapRead(parts, (maps) => keepComplete(maps, from, to, options.now()));
    },
    async latestPrints(symbols) {
      const parts = await atOnce(chunks(symbols, SYMBOLS_PER_REQUEST), (part) =>
        read(
          sdk.stocks.stockLatestTradesRaw({ symbols: part.join(','), feed: options.feed }),
          decodeLatestTrades,
          'data',
        ),
      );
      return mapRead(parts, (maps) => new Map(maps.flatMap((map) => [...map])));
    },
    async warm(requests) {
      for (let sent = 0; sent < requests; sent += WARM_AT_ONCE) {
        const batch = Math.min(WARM_AT_ONCE, requests - sent);
        const answers = await Promise.all(
          Array.from({ length: batch }, () => ordered(encode.clock(), WARM_MILLIS)),
        );
        // Who answers late, or not at all, or has had enough, is not asked for practice.
        if (!answers.every((answer) => answer.kind === 'answered' && answer.status === 200)) return;
      }
    },
    async close() {
      lines.close();
      await Promise.all([onTrading.close(), onData.close()]);
    },
  };
}

function rateOf(answer: HttpAnswer, host: RateReading['host']): RateReading | null {
  if (answer.kind !== 'answered') return null;
  const limit = Number(answer.headers['x-ratelimit-limit'] ?? Number.NaN);
  const remaining = Number(answer.headers['x-ratelimit-remaining'] ?? Number.NaN);
  return Number.isFinite(limit) && limit > 0 && Number.isFinite(remaining)
    ? { host, limit, remaining }
    : null;
}

const noAsset = (symbol: Ticker): BrokerAsset => ({ symbol, tradable: false, active: false });

/** The list may hold a symbol twice, once active and once from before; the active one counts. */
function pickAssets(list: readonly BrokerAsset[], symbols: readonly Ticker[]): readonly BrokerAsset[] {
  const known = new Map(list.filter((item) => !item.active).map((item) => [item.symbol, item]));
  for (const item of list) if (item.active) known.set(item.symbol, item);
  return symbols.map((symbol) => known.get(symbol) ?? noAsset(symbol));
}

const MINUTE = minutes(1);

/** Only bars whose minute is over: the running one still changes. */
function keepComplete(
  maps: readonly ReadonlyMap<Ticker, readonly Bar[]>[],
  from: Micros,
  to: Micros,
  now: Micros,
): ReadonlyMap<Ticker, readonly Bar[]> {
  const wanted = (bar: Bar): boolean =>
    bar.startAt >= from && bar.startAt < to && after(bar.startAt, MINUTE) <= now;
  return new Map(
    maps.flatMap((map) => [...map].map(([symbol, bars]) => [symbol, bars.filter(wanted)] as const)),
  );
}

function mapRead<T, U>(read: Read<T>, change: (value: T) => U): Read<U> {
  return read.kind === 'ok' ? { kind: 'ok', value: change(read.value) } : read;
}

/** One after the other; the first failure ends it, for a list with holes is no list. */
async function inTurn<T, U>(
  items: readonly T[],
  run: (item: T) => Promise<Read<U>>,
): Promise<Read<readonly U[]>> {
  const values: U[] = [];
  for (const item of items) {
    const read = await run(item);
    if (read.kind === 'failed') return read;
    values.push(read.value);
  }
  return { kind: 'ok', value: values };
}

/** All together; a list with holes is no list here either. */
async function atOnce<T, U>(
  items: readonly T[],
  run: (item: T) => Promise<Read<U>>,
): Promise<Read<readonly U[]>> {
  const reads = await Promise.all(items.map(run));
  return inTurn(reads, async (read) => read);
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
