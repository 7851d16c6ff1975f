import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { removeScratch, scratch } from '../support/scratch.ts';
import { type Ending, killChildren, runScalpd, startScalpd } from './support/child.ts';
import { eventOf } from './support/daemon-log.ts';
import { startExchange } from './support/exchange.ts';

const KEYS = { APCA_API_KEY_ID: 'PKNOTAREALKEY', APCA_API_SECRET_KEY: 'not-a-real-secret' };

/** Says what is wrong in a line or a few, without a stack and without a secret. */
function expectPlainWords({ err, out }: Ending, lines = 3): void {
  expect(err).not.to.equal('');
  expect(err.split('\n').length, err).to.be.at.most(lines);
  expect(err).not.to.match(/^\s+at /m);
  expect(err + out.join('\n'))
    .not.to.include(KEYS.APCA_API_SECRET_KEY)
    .and.not.to.include(KEYS.APCA_API_KEY_ID);
}

describe('end to end: wrong usage', () => {
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ending> =>
    runScalpd({ cwd: scratch(), args, env });
  afterEach(async () => {
    await killChildren();
    removeScratch();
  });

  it('answers an unknown option with exit code 2', async () => {
    const ending = await run(['demo', '--fast']);
    expect(ending.code).to.equal(2);
    expectPlainWords(ending);
    expect(ending.err).to.include('--fast');
  });

  it('answers values that mean nothing with exit code 2, each with what is allowed', async () => {
    for (const [args, word] of [
      [['demo', '--speed', 'fast'], '--speed'],
      [['exchange', '--port', '70000'], '--port'],
      [['exchange', '--tape', 'nowhere.ndjson'], 'nowhere.ndjson'],
      [['run', '--lot', 'much'], '--lot'],
      [['run', '--config', 'nowhere.yaml'], 'nowhere.yaml'],
    ] as const) {
      const ending = await run(args);
      expect(ending.code, ending.err).to.equal(2);
      expectPlainWords(ending);
      expect(ending.err).to.include(word);
    }
  });

  it('says that the port of an exchange is taken', async () => {
    const first = await startExchange(scratch(), ['--symbols', 'SPY']);
    const ending = await run(['exchange', '--port', new URL(first.url).port, '--symbols', 'SPY']);
    expect(ending.code).to.be.oneOf([1, 2]);
    expectPlainWords(ending, 1);
    expect(ending.err).to.include(new URL(first.url).port);
  });

  it('does not send the orders of an embedded or paper account to a live host', async () => {
    const APCA_API_BASE_URL = 'https://api.alpaca.markets';
    const embedded = await run(['run'], { ...KEYS, APCA_API_BASE_URL });
    const config = join(scratch(), 'paper.yaml');
    writeFileSync(config, 'account: { mode: paper }\nsymbols: [{ symbol: SPY, lot: 2000 }]\n');
    const paper = await run(['run', '--config', config], { ...KEYS, APCA_API_BASE_URL });
    for (const ending of [embedded, paper]) {
      expect(ending.code).to.equal(2);
      expectPlainWords(ending);
      expect(ending.err).to.include('live').and.to.include('APCA_API_BASE_URL');
    }
  });

  it('says with exit code 3 that keys are refused', async () => {
    const server = createServer((_, answer) => {
      answer.writeHead(401, { 'content-type': 'application/json' }).end('{"message":"unauthorized."}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const APCA_API_BASE_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const ending = await run(['run', '--json'], { ...KEYS, APCA_API_BASE_URL });
      expect(ending.code).to.equal(3);
      expectPlainWords(ending, 1);
      expect(ending.err).to.include('keys').and.to.include(APCA_API_BASE_URL);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('says why it does not connect, goes on trying, and ends with exit code 3 when it is told to', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const child = startScalpd({
      cwd: scratch(),
      args: ['run'],
      env: { ...KEYS, APCA_API_BASE_URL: `http://127.0.0.1:${port}` },
    });
    await child.line((line) => eventOf(line) === 'broker.unreachable');
    child.signal('SIGINT');
    const ending = await child.ended;
    expect(ending.code).to.equal(3);
    expectPlainWords(ending, 1);
    expect(ending.err).to.include(`http://127.0.0.1:${port}`);
    expect(ending.alone).to.equal(true);
  });

  it('does not start a second daemon on the same journal', async function () {
    this.timeout(120_000);
    const cwd = scratch();
    mkdirSync(join(cwd, 'data'));
    const exchange = await startExchange(scratch(), [
      '--symbols',
      'SPY,KO',
      '--speed',
      '60',
      '--start',
      '10:30',
    ]);
    const first = startScalpd({ cwd, args: ['run', ...exchange.symbols], env: exchange.env });
    await first.line((line) => eventOf(line) === 'daemon.ready');
    const second = await runScalpd({ cwd, args: ['run', '--json', ...exchange.symbols], env: exchange.env });
    expect(second.code).to.equal(1);
    expectPlainWords(second, 1);
    first.signal('SIGINT');
    expect((await first.ended).code).to.equal(0);
    await exchange.finish();
  });

  it('ends within seconds when it is stopped before the session, at night', async function () {
    this.timeout(120_000);
    const exchange = await startExchange(scratch(), [
      '--symbols',
      'SPY,KO',
      '--speed',
      '1',
      '--start',
      '04:00',
    ]);
    const child = startScalpd({ cwd: scratch(), args: ['run', ...exchange.symbols], env: exchange.env });
    await child.line((line) => eventOf(line) === 'daemon.ready');
    child.signal('SIGTERM');
    const { code, err, alone } = await child.ended;
    expect(code, err).to.equal(0);
    expect(alone).to.equal(true);
    await exchange.finish();
  });
});
