import type { Session } from '../domain/session.ts';
import { planSession, type SessionPlan } from '../domain/session.ts';
import {
  after,
  before,
  between,
  civilFromDays,
  type Duration,
  formatInstant,
  type Micros,
  type SessionDay,
  seconds,
} from '../domain/time.ts';
import type { Broker, Read } from '../ports/broker.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { inquire } from './inquiry.ts';
import type { RequestQueue } from './request-queue.ts';
import type { SessionSettings } from './settings.ts';

/**
 * Knows which session it is, from the broker's calendar alone. Without the calendar there is no session, and without a
 * session nobody enters.
 */
export type SessionKeeper = {
  /**
   * Asks for the calendar until it has it, and says what the present is: the session under way, or about to open, and the
   * days of the last sessions, newest first. Later sessions begin by `onBegin`.
   */
  open(): Promise<{ readonly plan: SessionPlan | null; readonly pastDays: readonly SessionDay[] }>;
  /** The session under way or about to open; `null` between sessions. */
  plan(): SessionPlan | null;
  /** The session waited for, when none is under way. */
  next(): Session | null;
  stop(): void;
};

export type SessionEvents = {
  /** `openLead` before the open, or at once when that is past. */
  onBegin(plan: SessionPlan): void;
  /** `closeLag` after the close. */
  onEnd(plan: SessionPlan): void;
  /** The broker's clock is that far ahead of ours (behind when negative), by more than `driftMax`. */
  onDrift(drift: Duration): void;
};

export type SessionKeeperDeps = {
  readonly clock: Clock;
  readonly broker: Broker;
  readonly queue: RequestQueue;
  readonly log: Log;
  readonly settings: SessionSettings;
  /** The longest holding time of all lanes: the entry cutoff is that long before the flatten. */
  readonly holdMax: Duration;
  readonly events: SessionEvents;
};

/** Ahead: covers the longest closure of the exchange with room to spare. */
const DAYS_AHEAD = 14;
/** Back: a latch is found again after a year in which nothing ran. */
const DAYS_BACK = 370;

export function createSessionKeeper(deps: SessionKeeperDeps): SessionKeeper {
  const { clock, log, settings, events } = deps;
  let plan: SessionPlan | null = null;
  let upcoming: Session | null = null;
  let timer: Timer | null = null;
  let driftTimer: Timer | null = null;
  let pause = settings.retryFirst;
  let stopped = false;
  let toldMissing: string | null = null;
  let pastDays: readonly SessionDay[] = [];
  let opened: (() => void) | null = null;

  function later(at: Micros, task: () => void): void {
    timer?.cancel();
    timer = clock.at(at, task);
  }

  function askCalendar(): void {
    const now = clock.now();
    query(
      () => deps.broker.calendar(dayOf(now, -DAYS_BACK), dayOf(now, DAYS_AHEAD)),
      (answer) => (answer.kind === 'ok' ? planned(answer.value) : retry(answer.failure.text)),
    );
  }

  function retry(text: string): void {
    // Asked for over and over, told once.
    if (text !== toldMissing)
      log.error('session.calendar.missing', { text, consequence: 'no entries until the calendar is known' });
    toldMissing = text;
    later(after(clock.now(), pause), askCalendar);
    pause = Math.min(pause * 2, settings.retryMax) as Duration;
  }

  function planned(sessions: readonly Session[]): void {
    pause = settings.retryFirst;
    pastDays = sessions.filter(({ closeAt }) => closeAt <= clock.now()).map(({ day }) => day);
    const now = clock.now();
    const session = sessions.find(({ closeAt }) => closeAt > now);
    if (session === undefined) {
      retry(`the calendar names a session within ${DAYS_AHEAD} days: none`);
      return;
    }
    toldMissing = null;
    upcoming = session;
    const beginAt = before(session.openAt, settings.openLead);
    if (beginAt <= now) begin(session);
    else {
      opened?.();
      log.info('session.waiting', { day: session.day, opensAt: formatInstant(session.openAt) });
      // Asked again then: a calendar can change, and a list of dates ages.
      later(beginAt, askCalendar);
    }
  }

  function begin(session: Session): void {
    const begun = planSession(session, settings.flattenBeforeClose, deps.holdMax);
    plan = begun;
    upcoming = null;
    log.info('session.begun', {
      day: begun.day,
      halfDay: begun.halfDay,
      opensAt: formatInstant(begun.openAt),
      entryCutoffAt: formatInstant(begun.entryCutoffAt),
      flattenAt: formatInstant(begun.flattenAt),
      closesAt: formatInstant(begun.closeAt),
    });
    later(after(begun.closeAt, settings.closeLag), () => end(begun));
    // The first session is the answer to `open`, whoever opens has to restore its lanes before it can begin.
    if (opened === null) events.onBegin(begun);
    else opened();
  }

  function end(ended: SessionPlan): void {
    plan = null;
    log.info('session.ended', { day: ended.day });
    events.onEnd(ended);
    if (!stopped) askCalendar();
  }

  function checkDrift(): void {
    const sentAt = clock.now();
    query(
      () => deps.broker.clock(),
      (answer) => {
        if (answer.kind !== 'ok') return;
        const now = clock.now();
        const roundTrip = between(sentAt, now);
        // The broker read its clock somewhere on the way: half the way is what cannot be known.
        const drift = answer.value.at - (sentAt + roundTrip / 2);
        if (Math.abs(drift) <= settings.driftMax + roundTrip / 2) return;
        log.warn('clock.drift', {
          text: 'the broker is right: our clock follows',
          seconds: drift / seconds(1),
        });
        events.onDrift(Math.round(drift) as Duration);
      },
    );
    driftTimer = clock.at(after(clock.now(), settings.driftCheckEvery), checkDrift);
  }

  function query<T>(ask: () => Promise<Read<T>>, then: (answer: Read<T>) => void): void {
    inquire(deps.queue, { priority: 'query', cost: 1 }, ask, (answer: Read<T>) => {
      if (!stopped) then(answer);
    });
  }

  return {
    open: () =>
      new Promise((resolve) => {
        opened = () => {
          opened = null;
          resolve({ plan, pastDays: pastDays.toReversed() });
        };
        askCalendar();
        checkDrift();
      }),
    plan: () => plan,
    next: () => upcoming,
    stop() {
      stopped = true;
      timer?.cancel();
      driftTimer?.cancel();
    },
  };
}

/** The UTC date some days from `at`: New York's date is the same or the one before. */
function dayOf(at: Micros, days: number): SessionDay {
  const [year, month, day] = civilFromDays(Math.floor(at / 86_400_000_000) + days);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)}` as SessionDay;
}
