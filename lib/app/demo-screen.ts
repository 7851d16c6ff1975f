import { type Cash, formatDecimal } from '../domain/money.ts';
import type { Micros } from '../domain/time.ts';
import type { EngineStatus } from '../engine/engine-types.ts';
import type { Log, LogFields } from '../ports/log.ts';

/**
 * What a person sees of a demo: one line per lane started, per round trip and per warning, and a progress line that is
 * rewritten in place on a terminal and printed now and then elsewhere. Everything else stands in the log file.
 */
export type DemoScreen = {
  /** Takes the log's lines as they are written. */
  readonly log: Log;
  /** From now on the progress line is drawn from `status`. */
  watch(status: () => EngineStatus): void;
  /** Ends the progress line; later lines print as they are. */
  close(): void;
};

export type ScreenOptions = {
  /** Writes text as it is, without adding a line end. */
  readonly write: (text: string) => void;
  readonly isTty: boolean;
  /** `HH:MM:SS` in New York. */
  readonly timeOfDay: (at: Micros) => string;
};

const REDRAW_MILLIS = { terminal: 200, plain: 5_000 };
const ERASE_LINE = '\r\u001b[2K';
/** A line longer than the terminal is wide must be cut there: what wraps can not be rewritten in place. */
const unwrapped = (line: string): string => `\u001b[?7l${line}\u001b[?7h`;

export function openDemoScreen({ write, isTty, timeOfDay }: ScreenOptions): DemoScreen {
  let status: (() => EngineStatus) | null = null;
  let timer: NodeJS.Timeout | null = null;

  const progress = (): string => (status === null ? '' : progressLine(status(), timeOfDay));
  const draw = (): void => {
    if (status !== null) write(isTty ? `${ERASE_LINE}${unwrapped(progress())}` : `${progress()}\n`);
  };
  const print = (line: string): void => {
    write(isTty && status !== null ? `${ERASE_LINE}${line}\n` : `${line}\n`);
  };
  const tell = (event: string, fields: LogFields, isWarning: boolean): void => {
    if (UNTOLD.includes(event)) return;
    const said = SAYINGS[event]?.(fields) ?? (isWarning ? `${event} ${describe(fields)}` : null);
    if (said === null) return;
    const time = status === null ? '        ' : timeOfDay(status().at);
    print(`${time}  ${String(fields.symbol ?? '').padEnd(5)} ${said}`);
  };

  return {
    log: {
      debug: () => undefined,
      info: (event, fields = {}) => tell(event, fields, false),
      warn: (event, fields = {}) => tell(event, fields, true),
      error: (event, fields = {}) => tell(event, fields, true),
    },
    watch(next) {
      status = next;
      timer = setInterval(draw, isTty ? REDRAW_MILLIS.terminal : REDRAW_MILLIS.plain);
    },
    close() {
      if (timer !== null) clearInterval(timer);
      timer = null;
      if (status !== null && isTty) write(ERASE_LINE);
      status = null;
    },
  };
}

/** The engine's own word on what `daemon.stopping` says. */
const UNTOLD = ['engine.stopping'];

/** Lines that tell the story; every other event of level info stays in the file. */
const SAYINGS: Readonly<Record<string, (fields: LogFields) => string>> = {
  'lanes.planned': ({ text }) => String(text),
  'lane.started': ({ threadId }) => `lane started in thread ${threadId}`,
  'session.begun': ({ day }) => `session ${day ?? ''}`,
  'lane.roundTrip': ({ qty, pnl, exit, heldSeconds }) =>
    `round trip: ${qty} shares, ${heldSeconds} s, exit ${exit}, ${signed(String(pnl))} USD`,
  'daemon.stopping': ({ policy }) => `stopping (${policy}): canceling entries, getting out`,
};

const describe = ({ symbol: _, ...fields }: LogFields): string =>
  Object.entries(fields)
    .map(([name, value]) => (name === 'text' ? String(value) : `${name}=${value}`))
    .join(' ');

const signed = (amount: string): string => (amount.startsWith('-') ? amount : `+${amount}`);

/** `12:31:05  10 lanes · 3 holding · orders 41 · fills 38 · round trips 19 · P&L +3.21 USD` */
export function progressLine(status: EngineStatus, timeOfDay: (at: Micros) => string): string {
  const { lanes, roundTrips, dayPnl, orders } = status;
  const holding = lanes.filter(({ shares }) => shares !== 0).length;
  const parts = [
    `${lanes.length} lanes`,
    `${holding} holding`,
    `orders ${orders.submitted}`,
    `fills ${orders.fills}`,
    `round trips ${roundTrips}`,
    `P&L ${dayPnl === null ? '?' : signed(formatDecimal(dayPnl as Cash))} USD`,
  ];
  return `${timeOfDay(status.at)}  ${parts.join(' · ')}`;
}
