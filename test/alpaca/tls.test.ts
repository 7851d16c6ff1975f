import { expect } from 'chai';
import { resolveEndpoints } from '../../lib/adapters/alpaca/endpoints.ts';
import { openBroker } from '../../lib/adapters/alpaca/rest.ts';
import { openTradeFeed } from '../../lib/adapters/alpaca/trade-feed.ts';
import { type ExchangeServer, startExchangeServer } from '../../lib/adapters/exchange/server.ts';
import { createExchangeClock } from '../../lib/adapters/time/exchange-clock.ts';
import type { Micros } from '../../lib/domain/time.ts';
import type { FeedStatus } from '../../lib/ports/feeds.ts';
import { defaultExchangeOptions } from '../../lib/sim/default-options.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import { syntheticTape } from '../../lib/sim/synthetic.ts';
import { loopbackCertificate } from '../conformance/certificate.ts';
import { sessionOf } from '../engine/simulated-day.ts';

const KEYS = { keyId: 'any-key-id', secret: 'any-secret' };
const SWITCH = 'NODE_TLS_REJECT_UNAUTHORIZED';

describe('TLS to a server that nobody vouches for', () => {
  const session = sessionOf('09:30', '16:00');
  const before = process.env[SWITCH];
  const { emitWarning } = process;
  let server: ExchangeServer;
  let url = '';

  beforeEach(async () => {
    // Node warns of the switch that these tests turn on purpose; every other warning is told.
    process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
      if (!String(warning).includes(SWITCH)) Reflect.apply(emitWarning, process, [warning, ...rest]);
    };
    const options = defaultExchangeOptions({ seed: 1, startAt: session.openAt, sessions: [session] });
    const exchange = createExchange(options, syntheticTape({ seed: 1, count: 1, sessions: [session] }));
    server = await startExchangeServer({ exchange, tls: loopbackCertificate() });
    url = server.secureUrl ?? '';
  });
  afterEach(async () => {
    if (before === undefined) delete process.env[SWITCH];
    else process.env[SWITCH] = before;
    process.emitWarning = emitWarning;
    await server.close();
  });

  for (const [what, value] of [
    ['', null],
    [`, whatever ${SWITCH} says`, '0'],
  ] as const) {
    it(`is refused by requests${what}, in words that say why`, async () => {
      if (value !== null) process.env[SWITCH] = value;
      const now = (): Micros => session.openAt;
      const broker = openBroker({ ...KEYS, baseUrl: url, dataUrl: url, feed: 'iex', now, connections: 1 });
      const answer = await broker.account();
      await broker.close();
      expect(answer.kind).to.equal('failed');
      if (answer.kind === 'failed') expect(answer.failure.text).to.match(/self-signed certificate/i);
    });

    it(`is refused by sockets${what}, in words that say why`, async () => {
      if (value !== null) process.env[SWITCH] = value;
      const clock = createExchangeClock({ at: session.openAt, speed: 1 });
      let refused: (status: FeedStatus) => void = () => undefined;
      const told = new Promise<FeedStatus>((resolve) => {
        refused = resolve;
      });
      const feed = openTradeFeed(
        { ...KEYS, url: `${url.replace('https', 'wss')}/stream`, clock, speed: 1, random: () => 0.5 },
        {
          onStatus: (status) => {
            if (status.state === 'waiting' || status.state === 'live') refused(status);
          },
          onReport: () => undefined,
          onUnreadable: () => undefined,
        },
      );
      feed.start();
      const status = await told;
      await feed.close();
      clock.close();
      expect(status.state).to.equal('waiting');
      expect(status.detail).to.match(/self-signed certificate/i);
    });
  }
});

describe('live trading', () => {
  const live = { APCA_API_KEY_ID: 'AKLIVE', APCA_API_SECRET_KEY: 'secret' };
  const mistakes = (env: Record<string, string>, mode: 'paper' | 'live'): readonly string[] => {
    const result = resolveEndpoints(env, mode);
    return result.ok ? [] : result.mistakes.map(({ key, found }) => `${key}: ${found}`);
  };

  it('takes live keys alone, and paper takes none of them', () => {
    expect(mistakes(live, 'live')).to.deep.equal([]);
    expect(mistakes({ ...live, APCA_API_KEY_ID: 'PKPAPER' }, 'live')).to.deep.equal([
      'APCA_API_KEY_ID: a paper key',
    ]);
    expect(mistakes(live, 'paper')).to.deep.equal(['APCA_API_KEY_ID: a live key']);
    const elsewhere = { ...live, APCA_API_BASE_URL: 'http://127.0.0.1:1' };
    expect(mistakes(elsewhere, 'paper'), 'any key will do on this machine').to.deep.equal([]);
  });

  it(`does not start while ${SWITCH} is off`, () => {
    expect(mistakes({ ...live, [SWITCH]: '0' }, 'live')).to.deep.equal([`${SWITCH}: 0`]);
    expect(mistakes({ ...live, [SWITCH]: '1' }, 'live')).to.deep.equal([]);
  });
});
