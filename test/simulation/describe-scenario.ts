import { formatInstant, type Micros } from '../../lib/domain/time.ts';
import type { Happening, Scenario } from './scenario.ts';

/** A scenario for people: its traits, and what happens in order of time. */
export function describeScenario(scenario: Scenario): readonly string[] {
  const { symbols, sessions, trading, exchange, wire, rates, happenings, kills } = scenario;
  return [
    `symbols ${symbols.join(' ')}; start ${time(scenario.startAt)}; skew ${scenario.skew / 1e6} s; journal ${scenario.journalDelay / 1e3} ms`,
    ...sessions.map(
      ({ day, openAt, closeAt }, index) =>
        `session ${day} ${time(openAt)} to ${time(closeAt)}, faults until ${time(scenario.calmFrom[index] ?? closeAt)}`,
    ),
    `trading ${JSON.stringify(trading)}`,
    `exchange ${JSON.stringify(exchange)}`,
    `wire ${JSON.stringify(wire)}`,
    `late fills ${scenario.lateFills}; corrected bars ${scenario.correctedBars}`,
    ...(Object.keys(rates).length > 0 ? [`rates ${JSON.stringify(rates)}`] : []),
    ...happenings.map((happening) => `${time(happening.at)} ${describeHappening(happening)}`),
    ...kills.map(({ on, nth, side, downFor }) => `killed ${side} ${on} ${nth}, down for ${downFor / 1e6} s`),
  ];
}

function describeHappening({ kind, at: _, ...rest }: Happening): string {
  const words = Object.entries(rest).map(
    ([key, value]) => `${key} ${key === 'until' && value !== null ? time(value as Micros) : value}`,
  );
  return [kind, ...words].join(', ');
}

const time = (at: Micros): string => formatInstant(at).slice(0, 23).replace('T', ' ');
