import { expect } from 'chai';
import fc from 'fast-check';
import {
  type AccountMode,
  type Endpoints,
  type Environment,
  embeddedEndpoints,
  resolveEndpoints,
} from '../../lib/adapters/alpaca/endpoints.ts';
import { createRedact } from '../../lib/adapters/alpaca/redact.ts';

const KEYS = { APCA_API_KEY_ID: 'PKTEST', APCA_API_SECRET_KEY: 'very/secret+key' };

function resolved(env: Environment, mode: AccountMode): Endpoints {
  const result = resolveEndpoints(env, mode);
  if (!result.ok) expect.fail(JSON.stringify(result.mistakes));
  return result.endpoints;
}

function mistakes(env: Environment, mode: AccountMode): readonly string[] {
  const result = resolveEndpoints(env, mode);
  return result.ok ? [] : result.mistakes.map((m) => `${m.key}: ${m.allowed}; found ${m.found}`);
}

describe('endpoints', () => {
  it('defaults to the paper hosts', () => {
    expect(resolved(KEYS, 'paper')).to.deep.equal({
      baseUrl: 'https://paper-api.alpaca.markets',
      dataUrl: 'https://data.alpaca.markets',
      tradeStreamUrl: 'wss://paper-api.alpaca.markets/stream',
      dataStreamUrl: 'wss://stream.data.alpaca.markets/v2/iex',
      feed: 'iex',
      keyId: 'PKTEST',
      secret: 'very/secret+key',
      live: false,
      loopback: false,
    });
  });

  it('goes to the live hosts with mode live alone', () => {
    const live = resolved({ ...KEYS, APCA_API_KEY_ID: 'AKTEST' }, 'live');
    expect([live.baseUrl, live.tradeStreamUrl, live.live]).to.deep.equal([
      'https://api.alpaca.markets',
      'wss://api.alpaca.markets/stream',
      true,
    ]);
    const env = { ...KEYS, APCA_API_BASE_URL: 'https://api.alpaca.markets' };
    expect(mistakes(env, 'paper')[0]).to.contain('the live host only with account mode live');
    expect(mistakes(env, 'embedded')[0]).to.contain('the live host only with account mode live');
    const paper = { ...KEYS, APCA_API_BASE_URL: 'https://paper-api.alpaca.markets' };
    expect(mistakes(paper, 'live')[0]).to.contain('the paper host only with account mode paper');
  });

  it('lets data and stream follow a base on loopback, unless they are given', () => {
    const env = { ...KEYS, APCA_API_BASE_URL: 'http://127.0.0.1:8901/v2/' };
    const local = resolved(env, 'paper');
    expect(local).to.deep.include({
      baseUrl: 'http://127.0.0.1:8901',
      dataUrl: 'http://127.0.0.1:8901',
      tradeStreamUrl: 'ws://127.0.0.1:8901/stream',
      dataStreamUrl: 'ws://127.0.0.1:8901/v2/iex',
      loopback: true,
    });
    const mixed = resolved({ ...env, APCA_API_STREAM_URL: 'https://stream.data.alpaca.markets/v2' }, 'paper');
    expect(mixed.dataStreamUrl).to.equal('wss://stream.data.alpaca.markets/v2/iex');
    expect(mixed.dataUrl).to.equal('http://127.0.0.1:8901');
  });

  it('needs a URL and no keys for an exchange of the same machine', () => {
    const local = resolved({ APCA_API_BASE_URL: 'http://localhost:1' }, 'embedded');
    expect([local.keyId, local.secret]).to.deep.equal(['embedded', 'embedded']);
    expect(mistakes({}, 'embedded')[0]).to.contain('APCA_API_BASE_URL');
    expect(mistakes({ APCA_API_BASE_URL: 'https://elsewhere.example' }, 'embedded')[0]).to.contain(
      'loopback',
    );
    expect(embeddedEndpoints(8901, 'sip').dataStreamUrl).to.equal('ws://127.0.0.1:8901/v2/sip');
  });

  it('reports every mistake at once, and no secret in any', () => {
    const env = {
      APCA_API_KEY_ID: 'key\nwith a break',
      APCA_API_BASE_URL: 'http://paper-api.alpaca.markets',
      APCA_API_DATA_URL: 'https://user:hunter2@data.alpaca.markets',
      APCA_API_STREAM_URL: 'not a url with s3cret',
    };
    const found = mistakes(env, 'paper');
    expect(found).to.have.length(5);
    for (const hidden of ['hunter2', 's3cret', 'with a break']) expect(found.join()).to.not.contain(hidden);
    expect(found.join('\n')).to.contain('plain http and ws only to loopback');
  });

  it('takes plain http for loopback alone', () => {
    for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]'])
      expect(mistakes({ ...KEYS, APCA_API_BASE_URL: `http://${host}:80` }, 'paper'), host).to.deep.equal([]);
    for (const url of [
      'http://127.0.0.1.evil.example',
      'ws://10.0.0.1',
      'http://localhost.example',
      'ftp://127.0.0.1',
    ])
      expect(mistakes({ ...KEYS, APCA_API_BASE_URL: url }, 'paper'), url).to.have.length(1);
  });
});

describe('redaction', () => {
  it('takes keys out of any text, in the forms they take on the wire', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.constantFrom('PKTEST', 'very/secret+key'),
        (before, after, key) => {
          const redact = createRedact(Object.values(KEYS));
          for (const form of [key, encodeURIComponent(key), Buffer.from(key).toString('base64')])
            expect(redact(`${before}${form}${after}`)).to.not.contain(form);
        },
      ),
    );
  });

  it('makes one short line of a page', () => {
    const redact = createRedact([]);
    expect(redact('<html><style>a{}</style>\n<h1>504</h1>\r\n<p>Gateway\ttime-out</p></html>')).to.equal(
      '504 Gateway time-out',
    );
    expect(redact('x'.repeat(5_000)).length).to.be.lessThan(300);
  });
});
