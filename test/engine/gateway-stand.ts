import type { OrderIntent } from '../../lib/domain/intent.ts';
import type { SubmitVerdict } from '../../lib/domain/lane-types.ts';
import type { LuldBand } from '../../lib/domain/market.ts';
import { cash, price } from '../../lib/domain/money.ts';
import { DEFAULT_RISK_LIMITS, type RiskView } from '../../lib/domain/risk.ts';
import { after as later, minutes, type SessionDay, seconds } from '../../lib/domain/time.ts';
import { createEntryGates } from '../../lib/engine/entry-gates.ts';
import { createEntryStop } from '../../lib/engine/entry-stop.ts';
import type { FlattenNeeds } from '../../lib/engine/flatten-plan.ts';
import { createGateway } from '../../lib/engine/gateway.ts';
import { createHeldShares } from '../../lib/engine/held-shares.ts';
import { createLaneModes } from '../../lib/engine/modes.ts';
import { createPathMeter } from '../../lib/engine/order-path.ts';
import { createOrderTracker } from '../../lib/engine/order-tracker.ts';
import { createRecorder } from '../../lib/engine/recorder.ts';
import { createRequestQueue } from '../../lib/engine/request-queue.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import { createTokenBucket } from '../../lib/engine/token-bucket.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import { STOPPED } from '../../lib/ports/clock.ts';
import type { Journal } from '../../lib/ports/journal.ts';
import { advance, intentOf, type LoggedLine, loggingTo, SPY, START, scriptedBroker } from './support.ts';

/** A gateway with everything around it real but the broker, whose answers a test writes down. */

const DAY = '2026-10-05' as SessionDay;
export const NOTHING: FlattenNeeds = { cancels: 0, canceling: 0, sells: 0, selling: 0, stuck: 0 };
export const CAUSE = { step: 1, event: { kind: 'woke' } };

export function gatewayWorld(options: { readonly limit?: number; readonly journal?: Partial<Journal> } = {}) {
  const clock = createVirtualClock(START);
  const broker = scriptedBroker();
  const written: string[] = [];
  const journal: Journal = {
    async append({ kind, body }) {
      const { what = '', clientOrderId = '' } = body as { what?: string; clientOrderId?: string };
      written.push(`${kind} ${what}${clientOrderId}`);
      broker.asked.push(`journal ${kind}`);
    },
    read: async () => [],
    head: async () => null,
    close: async () => undefined,
    ...options.journal,
  };
  const lines: LoggedLine[] = [];
  const log = loggingTo(lines);
  const bucket = createTokenBucket({ limit: options.limit ?? 200, reserve: 0.2, window: minutes(1) });
  const { gateway: settings, tracker: trackerSettings } = DEFAULT_ENGINE_SETTINGS;
  const queue = createRequestQueue(clock, bucket, settings);
  const recorder = createRecorder(clock, journal, log);
  recorder.openDay(DAY);
  const verdicts: { readonly intent: OrderIntent; readonly verdict: SubmitVerdict }[] = [];
  const state = {
    stopping: false,
    cutoffAt: later(START, minutes(50)),
    held: 1_000,
    needs: NOTHING,
    band: null as LuldBand | null,
    halted: false,
    closeAt: later(START, minutes(60)),
  };
  const tracker = createOrderTracker({
    clock,
    broker,
    queue,
    log,
    settings: trackerSettings,
    events: {
      onReport: () => undefined,
      onVerdict: (_, id, verdict) => {
        const intent = intents.get(id);
        if (intent !== undefined) verdicts.push({ intent, verdict });
      },
      onSuccessor: () => undefined,
      onForeign: () => undefined,
    },
  });
  const intents = new Map<string, OrderIntent>();
  const view = (): RiskView => ({
    sharesHeld: state.held,
    sharesOnSale: 0,
    mark: price(1_000_000),
    grossExposure: cash(0),
    buyingPower: cash(10_000_000_000),
    reserved: cash(0),
    dayPnl: cash(0),
    lossLatch: { kind: 'armed' },
    killed: false,
    band: state.band,
  });
  const modes = createLaneModes([SPY], () => undefined);
  const gates = createEntryGates([SPY], () => undefined);
  gates.tradeFeed(true, START);
  gates.dataFeed(true);
  gates.agreed([SPY], START);
  const plan = () => ({
    day: DAY,
    openAt: START,
    closeAt: state.closeAt,
    halfDay: false,
    entryCutoffAt: state.cutoffAt,
    flattenAt: state.closeAt,
  });
  const gateway = createGateway({
    clock,
    broker,
    bucket,
    queue,
    tracker,
    recorder,
    log,
    settings,
    limits: DEFAULT_RISK_LIMITS,
    heldShares: createHeldShares({ clock, broker, queue, tracker, log }),
    events: { onVerdict: (intent, verdict) => void verdicts.push({ intent, verdict }) },
    view,
    reserve: () => undefined,
    release: () => undefined,
    entryStop: createEntryStop({ clock, recorder, modes, gates, plan, stopping: () => state.stopping }),
    isHalted: () => state.halted,
    flattenNeeds: () => state.needs,
    flattenSpan: () => ({ from: START, until: state.closeAt }),
  });
  const paths = createPathMeter(STOPPED);
  const submit = (intent: OrderIntent): void => {
    intents.set(intent.clientOrderId, intent);
    gateway.submit(intent, CAUSE, paths.decided(intent.symbol, 'thread'));
  };
  const run = (second: number): Promise<void> => advance(clock, later(START, seconds(second)));
  const submits = (): string[] => broker.asked.filter((line) => line.startsWith('submit'));
  const codes = (): string[] =>
    verdicts.map(({ verdict }) => ('code' in verdict ? `${verdict.kind} ${verdict.code}` : verdict.kind));
  return {
    clock,
    broker,
    bucket,
    gateway,
    tracker,
    modes,
    gates,
    state,
    submit,
    run,
    submits,
    codes,
    written,
    lines,
  };
}

export const entry = (n: number): OrderIntent =>
  intentOf('entry', n, { expiresAt: later(START, seconds(5)) });
export const exit = (n: number): OrderIntent => intentOf('exit', n);
