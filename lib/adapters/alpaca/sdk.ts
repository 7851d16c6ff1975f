import { marketData, trading } from '@alpacahq/alpaca-trade-api/rest';
import type { HttpAnswer } from './http-answer.ts';
import type { HttpTransport } from './http-transport.ts';

/**
 * The official SDK as the maker of requests: paths, parameters, headers and bodies are its own. Its limiter, its retry and
 * its deadline stay off, and answers pass through it unread, because its models drop what decides here: the extra keys
 * of refusals, headers, digits of times, `null`s.
 */
export type Sdk = {
  readonly orders: trading.OrdersApi;
  readonly positions: trading.PositionsApi;
  readonly accounts: trading.AccountsApi;
  readonly activities: trading.AccountActivitiesApi;
  readonly clock: trading.ClockApi;
  readonly calendar: trading.CalendarApi;
  readonly assets: trading.AssetsApi;
  readonly stocks: marketData.StockApi;
  /** How it names itself. */
  readonly userAgent: string;
};

export type SdkOptions = {
  readonly baseUrl: string;
  readonly dataUrl: string;
  readonly keyId: string;
  readonly secret: string;
  readonly trading: HttpTransport;
  readonly data: HttpTransport;
  /** Wall milliseconds for one request, asked at each. */
  timeoutMillis(): number;
};

export function createSdk(options: SdkOptions): Sdk {
  const common = { keyId: options.keyId, secret: options.secret, timeoutMs: 0 };
  const onTrading = new trading.Configuration({
    ...common,
    basePath: options.baseUrl,
    fetchApi: fetchThrough(options.trading, options.timeoutMillis),
  });
  const onData = new marketData.Configuration({
    ...common,
    basePath: options.dataUrl,
    fetchApi: fetchThrough(options.data, options.timeoutMillis),
  });
  return {
    orders: new trading.OrdersApi(onTrading),
    positions: new trading.PositionsApi(onTrading),
    accounts: new trading.AccountsApi(onTrading),
    activities: new trading.AccountActivitiesApi(onTrading),
    clock: new trading.ClockApi(onTrading),
    calendar: new trading.CalendarApi(onTrading),
    assets: new trading.AssetsApi(onTrading),
    stocks: new marketData.StockApi(onData),
    userAgent: onTrading.userAgent ?? '',
  };
}

/** The answer as it came from the wire, taken out of the SDK's `…Raw` calls. */
export async function answerOf(call: Promise<{ readonly raw: unknown }>): Promise<HttpAnswer> {
  const { raw } = await call;
  if (raw instanceof CarriedAnswer) return raw.answer;
  throw new Error('The SDK hands back the response that its fetch returned.');
}

/** The SDK names times as `Date` and calls `toISOString` alone: this keeps microseconds, and plain dates plain. */
export const wireTime = (text: string): Date => ({ toISOString: () => text }) as Date;

/** To the SDK every answer is a success that nobody reads: it throws nothing and opens no body. */
class CarriedAnswer {
  readonly status = 200;
  readonly ok = true;
  readonly answer: HttpAnswer;

  constructor(answer: HttpAnswer) {
    this.answer = answer;
  }
}

function fetchThrough(transport: HttpTransport, timeoutMillis: () => number) {
  return async (url: string, init: RequestInit): Promise<Response> => {
    const answer = await transport.request(
      {
        method: init.method ?? 'GET',
        url,
        headers: init.headers as Record<string, string>,
        body: typeof init.body === 'string' ? init.body : null,
      },
      timeoutMillis(),
    );
    return new CarriedAnswer(answer) as unknown as Response;
  };
}
