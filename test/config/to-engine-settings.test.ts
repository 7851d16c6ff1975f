import { expect } from 'chai';
import { parseConfig } from '../../lib/adapters/config/load.ts';
import { toEngineSettings } from '../../lib/adapters/config/to-engine-settings.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';

const TEXT = `
symbols: [{ symbol: SPY, lot: 2000 }, { symbol: KO, lot: 500 }]
exit: { markup: 0.01, holdMax: 90s }
gateway: { requestsPerMinute: 1000, exitReserve: 25%, entryLife: 3s }
risk: { priceCollar: 0.75%, entriesMax: 7 }
session: { flattenBeforeClose: 10m }
`;

describe('engine settings from the configuration', () => {
  const load = parseConfig('a.yaml', new TextEncoder().encode(TEXT));
  if (!load.ok) throw new Error('valid');
  const { config } = load;

  it('carry what the file says, lane by lane', () => {
    const settings = toEngineSettings(config, 1);
    expect(settings.lanes.map(({ symbol, lot }) => [symbol, lot])).to.deep.equal([
      ['SPY', 20_000_000],
      ['KO', 5_000_000],
    ]);
    expect(settings.lanes[0]).to.include({
      entryQueueMax: 3_000_000,
      exitMarkup: 100,
      holdMax: 90_000_000,
      entriesMax: 7,
    });
    expect(settings.gateway).to.include({
      requestsPerMinute: 1_000,
      exitReserve: 0.25,
    });
    expect(settings.risk.limits.collarBps).to.equal(75);
    expect(settings.session.flattenBeforeClose).to.equal(600_000_000);
  });

  it('stretch what guards this machine by the speed of the clock, and nothing else', () => {
    const fast = toEngineSettings(config, 60);
    const real = toEngineSettings(config, 1);
    expect(real.supervisor).to.deep.equal(DEFAULT_ENGINE_SETTINGS.supervisor);
    expect(fast.supervisor.stallAfter).to.equal(60 * real.supervisor.stallAfter);
    expect(fast.gateway.journalPatience).to.equal(60 * real.gateway.journalPatience);
    expect(fast.lanes).to.deep.equal(real.lanes);
  });

  it('never wait less for an answer than a wall time in which one can come', () => {
    const real = toEngineSettings(config, 1);
    expect(real.tracker).to.deep.equal(DEFAULT_ENGINE_SETTINGS.tracker);
    expect(real.feed).to.deep.equal(DEFAULT_ENGINE_SETTINGS.feed);
    expect(real.reconcile).to.deep.equal(DEFAULT_ENGINE_SETTINGS.reconcile);
    // At 60 times, 2 s of exchange time are 33 ms; 50 ms of wall time are 3 s of exchange time.
    expect(toEngineSettings(config, 60).tracker.silenceMax).to.equal(3_000_000);
    expect(toEngineSettings(config, 60).tracker.absentAfter).to.equal(real.tracker.absentAfter);
  });
});
