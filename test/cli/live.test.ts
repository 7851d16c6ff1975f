import { join } from 'node:path';
import { expect } from 'chai';
import { embeddedEndpoints } from '../../lib/adapters/alpaca/endpoints.ts';
import { parseConfig } from '../../lib/adapters/config/load.ts';
import { runDaemon } from '../../lib/app/run-daemon.ts';
import { type LoggedLine, loggingTo } from '../engine/support.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const NOBODY = 1;

async function linesOf(mode: 'paper' | 'live'): Promise<readonly LoggedLine[]> {
  const cwd = scratch();
  const load = parseConfig(
    'test',
    Buffer.from(`account: { mode: ${mode} }\nsymbols: [{ symbol: SPY, lot: 1000 }]\n`),
  );
  if (!load.ok) throw new Error(JSON.stringify(load.mistakes));
  const lines: LoggedLine[] = [];
  const result = await runDaemon({
    config: load.config,
    endpoints: { ...embeddedEndpoints(NOBODY), live: mode === 'live' },
    cwd,
    journalPath: join(cwd, 'test.db'),
    console: null,
    once: false,
    control: false,
    stop: AbortSignal.abort('test'),
    watch: { onLog: loggingTo(lines) },
  });
  expect(result.code, 'nobody listens there').to.equal(3);
  return lines;
}

describe('a daemon that trades real money', () => {
  afterEach(removeScratch);

  it('says so before anything else, as a warning', async () => {
    const warned = (await linesOf('live')).filter(({ event }) => event === 'account.live');
    expect(warned.map(({ level }) => level)).to.deep.equal(['warn']);
    expect(String(warned[0]?.fields.text)).to.include('LIVE TRADING').and.include('real money');
    expect((await linesOf('paper')).filter(({ event }) => event === 'account.live')).to.deep.equal([]);
  });
});
