import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedEndpoints } from '../../adapters/alpaca/endpoints.ts';
import type { Config } from '../../adapters/config/config.ts';
import { resolveStrategy } from '../../adapters/threads/strategy-loader.ts';
import { type Duration, MICROS_PER_SECOND, seconds } from '../../domain/time.ts';
import type { Certificate } from '../../engine/certificate-types.ts';
import { NO_FAULTS } from '../../sim/fault-types.ts';
import { certificatePath, readCertificate } from '../certificate-file.ts';
import { type ExchangeThread, startExchangeThread } from '../exchange-thread.ts';
import type { Drill, DrillTimes } from './drill.ts';
import { findOpportunity, type Opportunity } from './scout.ts';
import { type OpenStage, openStage } from './stage.ts';
import { judgeDrill, type Verdict } from './verdict.ts';
import { DrillStopped } from './watch.ts';

/** `notHit`: the fault never struck, so nothing is proven. */
export type DrillOutcome = 'passed' | 'failed' | 'notHit';

export type DrillResult = {
  readonly name: string;
  readonly outcome: DrillOutcome;
  /** Every invariant that was judged, with what broke it. */
  readonly verdicts: readonly Verdict[];
  /** Wall time. */
  readonly seconds: number;
  readonly attempts: number;
  /** Log, journal and what the process said; `null` when it was removed. */
  readonly folder: string | null;
};

export type DrillSetup = {
  readonly config: Config;
  /** What a strategy's path in the configuration is relative to. */
  readonly baseDir: string;
  readonly seed: number;
  readonly keep: boolean;
  readonly stop: AbortSignal;
  /** How far it is, for a person who waits. */
  readonly onStep: (text: string) => void;
  /** Wall time that any one wait may take; by default as long as positions may take, and half a minute. */
  readonly patienceMs?: number;
  /** Markets that are tried before a drill counts as not hit. */
  readonly attempts?: number;
};

/** A market in which nothing could be struck proves nothing about the daemon: the next is tried, with more time to start. */
const ATTEMPTS = 3;
/** Wall time from the first instant of the exchange to the signal, by attempt: what a daemon takes to start. */
const LEAD_SECONDS = [5, 12, 25];
const LEAD_MAX = 60;
const FEW = 15;
const MANY = 40;

/** Runs one drill to its verdict, on an exchange and a daemon of its own. Rejects only when it is aborted. */
export async function runDrill(drill: Drill, setup: DrillSetup): Promise<DrillResult> {
  const startedAt = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    setup.onStep('looking for a market');
    const tried = await tryOnce(drill, setup, attempt);
    const result = {
      ...tried,
      name: drill.name,
      attempts: attempt,
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    };
    if (result.outcome !== 'notHit' || attempt === (setup.attempts ?? ATTEMPTS)) return result;
    if (result.folder !== null && !setup.keep) await rm(result.folder, { recursive: true, force: true });
  }
}

type Tried = Pick<DrillResult, 'outcome' | 'verdicts' | 'folder'>;

async function tryOnce(drill: Drill, setup: DrillSetup, attempt: number): Promise<Tried> {
  const config = { ...setup.config, strategy: resolveStrategy(setup.config.strategy, setup.baseDir) };
  const speed = speedOf(config, drill);
  const lead = seconds((LEAD_SECONDS[attempt - 1] ?? LEAD_MAX) * speed) as Duration;
  const found = await findOpportunity(config, drill.scene, `${setup.seed}/${attempt}`, lead, setup.stop);
  if (setup.stop.aborted) throw new DrillStopped('aborted', 'interrupted');
  if (found === null) {
    const evidence =
      drill.scene === 'trading'
        ? 'in no market has the strategy an entry signal that buys a share'
        : 'in no market is a position bought so late that it is held at the flatten (strategy, lots, entry.patience)';
    return { outcome: 'notHit', verdicts: [{ invariant: 'struck', evidence }], folder: null };
  }
  const folder = await mkdtemp(join(tmpdir(), `scalpd-drill-${drill.name}-`));
  let remove = true;
  try {
    const verdicts = await playOut(drill, setup, { ...found, config, speed, folder });
    const broken = verdicts.filter(({ evidence }) => evidence !== null);
    remove = broken.length === 0 && !setup.keep;
    return { outcome: outcomeOf(verdicts), verdicts, folder: remove ? null : folder };
  } finally {
    if (remove) await rm(folder, { recursive: true, force: true });
  }
}

/** A drill that struck nobody has failed nothing else by it, but what it waited for in vain. */
function outcomeOf(verdicts: readonly Verdict[]): DrillOutcome {
  const broken = verdicts.filter(({ evidence }) => evidence !== null).map(({ invariant }) => invariant);
  if (broken.length === 0) return 'passed';
  const missed =
    broken.includes('struck') && broken.every((each) => each === 'struck' || each === 'recovered');
  return missed ? 'notHit' : 'failed';
}

type Scenery = Opportunity & {
  readonly config: Config;
  readonly speed: number;
  readonly folder: string;
};

async function playOut(drill: Drill, setup: DrillSetup, scenery: Scenery): Promise<readonly Verdict[]> {
  const { times, speed, folder, config } = scenery;
  let open: OpenStage | null = null;
  const exchange = await openExchange(drill, scenery, {
    onFill: (fill) => open?.see(fill),
    onLost: (cause) => open?.fail(new DrillStopped('recovered', `the exchange is gone: ${cause}`)),
  });
  const abort = (): void => open?.fail(new DrillStopped('aborted', 'interrupted'));
  try {
    for (const action of drill.before?.(times) ?? []) exchange.act(action);
    const before = await exchange.ledger();
    const opened = openStage({
      times,
      speed,
      thread: exchange,
      folder,
      patienceMs: setup.patienceMs ?? patienceOf(times, speed),
      plan: {
        config: privately(config, folder),
        endpoints: embeddedEndpoints(Number(new URL(exchange.listening.url).port), config.feed),
        journalPath: join(folder, 'scalpd.db'),
        reportsDir: join(folder, 'reports'),
      },
    });
    open = opened;
    setup.stop.addEventListener('abort', abort);
    if (setup.stop.aborted) abort();
    const stopped = await play(drill, opened, setup.onStep);
    if (stopped?.invariant === 'aborted') throw stopped;
    setup.onStep('judging');
    const after = await exchange.books();
    return judgeDrill(drill, {
      before,
      after,
      closeAt: times.closeAt,
      requestsPerMinute: config.gateway.requestsPerMinute,
      lines: opened.lines,
      marks: opened.marks,
      silences: opened.silences,
      certificate: await certificateOf(folder, times),
      ends: opened.ends,
      stopped,
    });
  } finally {
    setup.stop.removeEventListener('abort', abort);
    await open?.close();
    await exchange.stop();
  }
}

/** Written by our own daemon a moment ago. */
const certificateOf = async (folder: string, { day }: DrillTimes): Promise<Certificate | null> =>
  ((await readCertificate(certificatePath(join(folder, 'reports'), day))) ?? null) as Certificate | null;

/** The fault is played, then the daemon is brought to its end; what stopped either is returned for the judge. */
async function play(
  drill: Drill,
  { stage, ended, marks }: OpenStage,
  onStep: DrillSetup['onStep'],
): Promise<DrillStopped | null> {
  let first: DrillStopped | null = null;
  const attempt = async (step: string, act: () => Promise<void>): Promise<void> => {
    if (first?.invariant === 'aborted' || first?.invariant === 'ended') return;
    onStep(step);
    try {
      await act();
    } catch (cause) {
      if (!(cause instanceof DrillStopped)) throw cause;
      first ??= cause;
    }
  };
  await attempt('starting the daemon', stage.daemon.start);
  await attempt('playing', () => drill.play(stage));
  stage.lift();
  const isDone = drill.needs.every((need) => marks.has(need));
  if (drill.ends === 'close' && isDone) await attempt('until the close', ended);
  else await attempt('stopping the daemon', stage.daemon.stop);
  return first;
}

async function openExchange(
  drill: Drill,
  { facts, times, speed, config }: Scenery,
  events: Pick<Parameters<typeof startExchangeThread>[1], 'onFill' | 'onLost'>,
): Promise<ExchangeThread> {
  const started = await startExchangeThread(
    {
      facts: { ...facts, overrides: { fillRules: drill.rules(times) } },
      server: { speed, tradingPerMinute: config.gateway.requestsPerMinute },
      faults: { ...NO_FAULTS, script: drill.script?.(times) ?? [] },
      tellFills: true,
    },
    { ...events, onLog: () => undefined },
  );
  if (started.ok) return started.thread;
  throw new Error(`A drill must have an exchange: ${started.mistakes.join('; ')}`);
}

/** The operator's settings, but for what would touch his own daemon: account, log, journal, and how it ends. */
const privately = (config: Config, folder: string): Config => ({
  ...config,
  account: { ...config.account, mode: 'embedded' },
  log: { ...config.log, dir: join(folder, 'logs') },
  journal: { ...config.journal, path: join(folder, 'scalpd.db') },
  shutdown: 'flatten',
});

/** Few lanes bear a quick clock; long holding times need one, or nobody would wait for the end. */
function speedOf({ symbols, exit }: Config, { pace = 1 }: Drill): number {
  const bearable = symbols.length <= FEW ? 30 : symbols.length <= MANY ? 20 : 12;
  const needed = exit.holdMax / MICROS_PER_SECOND / 15;
  return Math.min(120, Math.max(bearable, needed)) * pace;
}

/** Two holding times and ten minutes of the exchange, and half a minute for a machine that has other things to do. */
const patienceOf = ({ holdMax }: DrillTimes, speed: number): number =>
  30_000 + (2 * holdMax + seconds(600)) / 1_000 / speed;
