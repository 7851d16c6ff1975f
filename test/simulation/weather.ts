import type { Session } from '../../lib/domain/session.ts';
import type { Micros } from '../../lib/domain/time.ts';
import { createFaults, type Faults, type RestFault } from '../../lib/sim/faults.ts';
import type { Random } from '../../lib/sim/random.ts';
import type { RateLimiter } from '../../lib/sim/rate-limit.ts';
import type { Scenario } from './scenario.ts';
import { noteSituation, type Witness } from './witness.ts';

export type Outage = { readonly until: Micros; readonly how: 'silence' | 'reset' | 'badGateway' };

/** What goes wrong between daemon and exchange: the drawn faults until each session's calm, outages, and the rate limit. */
export type Weather = Faults & { outage: Outage | null };

/** Late enough for the report of the session before. */
const AFTER_CLOSE = 300_000_000;

export function createWeather(
  scenario: Scenario,
  random: Random,
  limiter: RateLimiter,
  witness: Witness,
): Weather {
  const { rates, restDelay, frameDelay, connectionLife } = scenario;
  const faults = createFaults({ rates, restDelay, frameDelay, connectionLife, script: [] }, random);
  const late = random.fork('late fills');
  const isCalm = (now: Micros): boolean => now >= calmOf(scenario, now);
  const weather: Weather = {
    ...faults,
    outage: null,
    onRequest(question, now) {
      const { outage } = weather;
      if (outage !== null && now < outage.until) {
        noteSituation(witness, `broker down: ${outage.how}`);
        return OUTAGES[outage.how];
      }
      const { allowed } = limiter.take(now);
      if (!allowed) {
        noteSituation(witness, 'rate limit reached');
        return RATE_LIMITED;
      }
      return isCalm(now) ? { kind: 'pass' } : faults.onRequest(question, now);
    },
    onFrame(stream, frame, now) {
      if (isCalm(now)) return { kind: 'pass' };
      if (FILLS.has(frame.event ?? '') && late.chance(scenario.lateFills)) {
        noteSituation(witness, 'fill comes late');
        return { kind: 'delay', delay: Math.round(late.between(...LATE)) };
      }
      const fault = faults.onFrame(stream, frame, now);
      if (frame.event === BAR && LOSSES.has(fault.kind)) noteSituation(witness, 'bar missing');
      return fault;
    },
    onConnect: (stream, now) => (isCalm(now) ? { kind: 'accept' } : faults.onConnect(stream, now)),
  };
  return weather;
}

const LOSSES: ReadonlySet<string> = new Set(['drop', 'garbage', 'unknownEvent']);
const FILLS: ReadonlySet<string> = new Set(['fill', 'partial_fill']);
/** Microseconds. */
const LATE = [200_000, 9_000_000] as const;
/** Alpaca's name of a minute bar's frame. */
const BAR = 'b';

/** When the faults of the session under way, or of the next one, stop. */
function calmOf({ sessions, calmFrom }: Scenario, now: Micros): Micros {
  const index = sessions.findIndex((session: Session) => now < session.closeAt + AFTER_CLOSE);
  return calmFrom[index] ?? (0 as Micros);
}

const OUTAGES: Readonly<Record<Outage['how'], RestFault>> = {
  silence: { kind: 'silence', accept: false },
  reset: { kind: 'reset', accept: false },
  badGateway: {
    kind: 'answer',
    status: 502,
    code: 50_210_000,
    message: 'bad gateway',
    body: 'html',
    accept: false,
  },
};
const RATE_LIMITED: RestFault = {
  kind: 'answer',
  status: 429,
  code: 42_910_000,
  message: 'rate limit exceeded',
  body: 'json',
  accept: false,
};
