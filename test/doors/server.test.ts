import { expect } from 'chai';
import fc from 'fast-check';
import { decodeTapeLine } from '../../lib/adapters/alpaca/codec-tape.ts';
import { startExchangeServer } from '../../lib/adapters/exchange/server.ts';
import { formatInstant, micros } from '../../lib/domain/time.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import { tapeFromItems } from '../../lib/sim/tape.ts';
import { type Doors, exchangeOptions, KEYS, openDoors } from './support.ts';

const hollow = () => createExchange(exchangeOptions(), tapeFromItems([], []));
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

describe('exchange server', () => {
  let doors: Doors | null = null;
  afterEach(async () => {
    await doors?.close();
    doors = null;
  });

  it('listens on loopback and nowhere else', async () => {
    for (const host of ['0.0.0.0', '192.168.1.7', '::', 'example.com']) {
      const failure = await failureOf(startExchangeServer({ exchange: hollow(), host }));
      expect(failure, host).to.be.instanceOf(RangeError);
      expect(String(failure)).to.include(`Found: ${host}`);
    }
  });

  it('one address serves trading, data and both streams', async () => {
    doors = await openDoors();
    const { server } = doors;
    expect(server.url).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(server.tradeStreamUrl).to.equal(`${server.url.replace('http', 'ws')}/stream`);
    expect(server.dataStreamUrl).to.equal(server.url.replace('http', 'ws'));
    expect(server.secureUrl).to.equal(null);
  });

  it('a port in use is an error, not a hang', async () => {
    doors = await openDoors();
    const port = Number(new URL(doors.server.url).port);
    const failure = await failureOf(startExchangeServer({ exchange: hollow(), port }));
    expect(failure).to.have.property('code', 'EADDRINUSE');
  });

  it('forgives slashes that base URLs carry', async () => {
    doors = await openDoors();
    expect((await doors.get('//v2/account')).status).to.equal(200);
    expect((await doors.get('/v2/account/')).status).to.equal(200);
    const socket = await doors.data('iex/');
    expect((await socket.next())[0].msg).to.equal('connected');
  });

  it('ends with requests and sockets still open', async () => {
    doors = await openDoors();
    await doors.data();
    await doors.trade();
    await fetch(`${doors.server.url}/v2/account`, { headers: KEYS });
    await doors.server.close();
    const failure = await failureOf(fetch(`${doors.server.url}/v2/account`, { headers: KEYS }));
    expect(failure).to.be.instanceOf(TypeError);
  });

  it('answers at the end of the tape, and the clock runs on', async () => {
    doors = await openDoors({ items: [] });
    doors.advance(3_600 * 24 * 40);
    const { status, json } = await doors.get('/v2/clock');
    expect(status).to.equal(200);
    expect(json.timestamp).to.equal('2013-11-16T09:00:00-05:00');
    expect(json.is_open).to.equal(false);
  });

  it('the quick reading of a tape instant says what the careful one says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1e15, max: 2e15 }), fc.constantFrom(0, 3, 6), (value, decimals) => {
        const step = 10 ** (6 - decimals);
        const at = Math.floor(value / step) * step;
        const [whole = '', fraction = ''] = formatInstant(micros(at)).slice(0, -1).split('.');
        const t = `${whole}${decimals === 0 ? '' : `.${fraction.slice(0, decimals)}`}Z`;
        const record = decodeTapeLine(JSON.stringify({ T: 't', S: 'A', x: 'P', p: 1, s: 1, t }));
        expect(record.kind === 'print' && record.print.at).to.equal(at);
      }),
    );
  });
});
