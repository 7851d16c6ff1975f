import { expect } from 'chai';
import fc from 'fast-check';
import { createRequestEncoder } from '../../lib/adapters/alpaca/codec-encode-requests.ts';
import type { HttpRequest } from '../../lib/adapters/alpaca/http-transport.ts';
import { createSdk } from '../../lib/adapters/alpaca/sdk.ts';
import { type BrokerOrderId, formatClientOrderId, type Ticker } from '../../lib/domain/ids.ts';
import type { OrderIntent } from '../../lib/domain/intent.ts';
import { formatDecimal, price, qty } from '../../lib/domain/money.ts';
import type { SessionDay } from '../../lib/domain/time.ts';
import { INTENT, KEY, SECRET } from './rest-stand.ts';

/** What the transport adds by itself. */
const OF_THE_TRANSPORT = ['host', 'connection', 'content-length'];

/** The official client on a transport that keeps what it was told to send. */
function openSdk(baseUrl: string) {
  const sent: HttpRequest[] = [];
  const transport = {
    request: async (request: HttpRequest) => {
      sent.push(request);
      return { kind: 'answered', status: 200, headers: {}, body: '' } as const;
    },
    close: async () => undefined,
  };
  const options = { baseUrl, dataUrl: baseUrl, keyId: KEY, secret: SECRET, timeoutMillis: () => 1_000 };
  const sdk = createSdk({ ...options, trading: transport, data: transport });
  return { sdk, sent, encode: createRequestEncoder({ ...options, userAgent: sdk.userAgent }) };
}

/** Our bytes, taken apart again. */
function partsOf(
  request: string,
  scheme = 'http:',
): HttpRequest & { readonly contentLength: string | undefined } {
  const [head = '', body = ''] = request.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const [method = '', path = '', version] = first.split(' ');
  expect(version).to.equal('HTTP/1.1');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  const url = `${scheme}//${headers.host}${path}`;
  return { method, url, headers, body: body === '' ? null : body, contentLength: headers['content-length'] };
}

const lowerCased = (headers: Readonly<Record<string, string>>) =>
  Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !OF_THE_TRANSPORT.includes(name))
    .sort();

const intents = fc.record({
  symbol: fc.constantFrom('A', 'SPY', 'BRK.B', 'BF/A') as fc.Arbitrary<Ticker>,
  side: fc.constantFrom('buy', 'sell'),
  shares: fc.integer({ min: 1, max: 1_000_000 }),
  limit: fc.option(fc.integer({ min: 1, max: 100_000_000_000 })),
  sequence: fc.nat(100_000),
});

describe('order requests', () => {
  for (const baseUrl of [
    'http://127.0.0.1:8080',
    'https://paper-api.alpaca.markets',
    'http://127.0.0.1/proxy',
  ])
    it(`say what the official client would say, at ${baseUrl}`, async () => {
      const { sdk, sent, encode } = openSdk(baseUrl);
      await fc.assert(
        fc.asyncProperty(intents, async ({ symbol, side, shares, limit, sequence }) => {
          const key = { day: '2026-10-05' as SessionDay, symbol, sequence, attempt: 0 };
          const intent: OrderIntent = {
            ...INTENT,
            clientOrderId: formatClientOrderId(key),
            symbol,
            side,
            qty: qty(shares),
            price: limit === null ? { type: 'market' } : { type: 'limit', limit: price(limit) },
          };
          await sdk.orders.postOrderRaw({
            postOrderRequest: {
              symbol,
              qty: String(shares),
              side,
              type: limit === null ? 'market' : 'limit',
              timeInForce: 'day',
              clientOrderId: intent.clientOrderId,
              positionIntent: side === 'buy' ? 'buy_to_open' : 'sell_to_close',
              ...(limit === null ? {} : { limitPrice: formatDecimal(price(limit)) }),
            },
          });
          const theirs = sent.pop();
          const ours = partsOf(encode.submit(intent), new URL(baseUrl).protocol);
          expect([ours.method, ours.url, ours.body]).to.deep.equal([
            theirs?.method,
            theirs?.url,
            theirs?.body,
          ]);
          expect(lowerCased(ours.headers)).to.deep.equal(lowerCased(theirs?.headers ?? {}));
          expect(ours.contentLength).to.equal(String(Buffer.byteLength(theirs?.body ?? '')));
        }),
        { numRuns: 50 },
      );
    });

  it('cancel as the official client does, whatever the id', async () => {
    const { sdk, sent, encode } = openSdk('http://127.0.0.1:8080');
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uuid(), fc.string({ minLength: 1 })), async (id) => {
        await sdk.orders.deleteOrderByOrderIDRaw({ orderId: id });
        const theirs = sent.pop();
        const ours = partsOf(encode.cancel(id as BrokerOrderId));
        expect([ours.method, ours.url, ours.body]).to.deep.equal([theirs?.method, theirs?.url, null]);
        expect(lowerCased(ours.headers)).to.deep.equal(lowerCased(theirs?.headers ?? {}));
        expect(ours.contentLength).to.equal(undefined);
      }),
    );
  });

  it('ask for the time as the official client does', async () => {
    const { sdk, sent, encode } = openSdk('http://127.0.0.1:8080');
    await sdk.clock.legacyClockRaw();
    const ours = partsOf(encode.clock());
    expect([ours.method, ours.url, ours.body]).to.deep.equal(['GET', sent[0]?.url, null]);
    expect(lowerCased(ours.headers)).to.deep.equal(lowerCased(sent[0]?.headers ?? {}));
  });

  it('take no key that would break out of its header', () => {
    const identity = { baseUrl: 'http://127.0.0.1', keyId: KEY, secret: SECRET, userAgent: 'x' };
    expect(() => createRequestEncoder({ ...identity, secret: 'hunter2\r\nX: y' })).to.throw(/^(?!.*hunter2)/);
  });
});
